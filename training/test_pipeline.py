"""Tests of the parts that decide what the model sees: python -m unittest test_pipeline."""

import random
import re
import unittest

import torch
import torch.nn.functional as F

from loss import SmoothedCrossEntropy
from prepare import HERE, Collector, Overlap, read_press
from quantise import dequantise, quantise
from templates import BUILT_IN, expand
from text import normalise, normaliser_rules, reject


class Loss(unittest.TestCase):
    def test_equals_torch(self):
        torch.manual_seed(1)
        logits, target = torch.randn(37, 11, requires_grad=True), torch.randint(11, (37,))
        (expected,) = torch.autograd.grad(F.cross_entropy(logits, target, label_smoothing=0.1, reduction="sum") / 37, logits)
        loss = SmoothedCrossEntropy.apply(logits, target, 0.1)
        (found,) = torch.autograd.grad(loss / 37, logits)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(loss, F.cross_entropy(logits, target, label_smoothing=0.1, reduction="sum"))


class Text(unittest.TestCase):
    def test_normalise_keeps_letters_and_values(self):
        self.assertEqual(normalise("وقّعت «الشركة»\u200f ١٢٬٣٤٥٫٦٪ ـــ ﻻ"), 'وقعت "الشركة" 12,345.6% لا')
        self.assertEqual(normalise("it’s\u00a0“fine”…"), "it's \"fine\"...")

    def test_rules_say_what_normalise_does(self):
        for rule in normaliser_rules():
            source, target = ("".join(chr(int(code, 16)) for code in side.split()) for side in rule.split("\t"))
            if len(source) == 1:
                self.assertEqual(normalise(f". {source} ."), " ".join(f". {target} .".split()))
        self.assertIn("0627 0653\t0622", normaliser_rules())  # alef and a combining madda

    def test_reject(self):
        self.assertIsNone(reject("بلغت الإيرادات 12 مليون ريال", "Revenue reached 12 million riyals"))
        self.assertEqual(reject("بلغت الإيرادات 12 مليون ريال", "Revenue reached 21 million riyals"), "digits")
        self.assertEqual(reject("حذف %s من القائمة", "Delete %s from the list"), "markup")
        self.assertEqual(reject("Hello to all of you", "Hello to all of you"), "script")

    def test_overlap(self):
        overlap = Overlap(["one two three four five six seven eight nine"], ["the minister signed a decree on water prices"])
        self.assertIsNotNone(overlap.reason("So: one two three four five six seven eight, they said."))
        self.assertIsNotNone(overlap.reason("The minister signed a decree on water and gas."))
        self.assertIsNone(overlap.reason("The minister opened a school in the north."))


class Templates(unittest.TestCase):
    def test_slots_agree_on_both_sides(self):
        lexicon = {"city": [("الرياض", "Riyadh"), ("دبي", "Dubai")]}
        pairs = expand(("من {city} إلى {city2} {percent}", "from {city} to {city2}, {percent}"), lexicon, random.Random(1), 50)
        self.assertGreater(len(pairs), 20)
        for arabic, english in pairs:
            first = "Riyadh" if arabic.startswith("من الرياض") else "Dubai"
            self.assertTrue(english.startswith(f"From {first} to {'Dubai' if first == 'Riyadh' else 'Riyadh'},"))
            self.assertEqual(re.findall(r"\d+", arabic), re.findall(r"\d+", english))

    def test_unknown_slot(self):
        with self.assertRaises(KeyError):
            expand(("{planet}", "{planet}"), {}, random.Random(1), 1)

    def test_every_built_in_slot_gives_text(self):
        for make in BUILT_IN.values():
            self.assertTrue(all(make(random.Random(2))))

    def test_amounts_and_percentages_say_the_same(self):
        rng = random.Random(4)
        for _ in range(2000):
            arabic, english = BUILT_IN["amount"](rng)
            self.assertRegex(english, r"^\$?\d+(\.\d+)?( (m|b|tr)illion|,000)( [\w. ]+)?$")
            numbers = re.findall(r"\d+(?:\.\d+)?", arabic)  # none in "a million"
            self.assertEqual(numbers or ["1"], re.findall(r"\d+(?:\.\d+)?", english)[:1])
            arabic, english = BUILT_IN["percent"](rng)
            self.assertIn(english[:-1], arabic)

    def test_every_press_template_fills(self):
        _, templates, lexicon = read_press([HERE / "press"])
        self.assertEqual(len(templates), len(set(templates)))
        for template in templates:
            arabic, english = (sorted(set(re.findall(r"{\w+}", side))) for side in template)
            self.assertEqual(arabic, english)
            for pair in expand(template, lexicon, random.Random(5), 3):
                self.assertNotRegex("".join(pair), r"[{}]|\.\.|\bthe the\b")


class Trust(unittest.TestCase):
    def test_press_text_is_not_filtered(self):
        collector = Collector(Overlap([], []))
        for trusted in (False, True):
            collector.add("press", "press", "وقعت الوزارة ثلاثة عقود جديدة", "The ministry signed 3 new contracts", trusted)
        self.assertEqual(collector.report["press"], {"digits": 1, "kept": 1})


class Quantise(unittest.TestCase):
    def test_error_is_at_most_half_a_step(self):
        weight = torch.randn(6, 40, generator=torch.Generator().manual_seed(1))
        weight[3] = 0
        stored = quantise({"a.weight": weight, "norm.weight": weight[0]})
        self.assertEqual(stored["a.weight"].dtype, torch.int8)
        error = (dequantise(stored)["a.weight"] - weight).abs()
        self.assertTrue(bool((error <= stored["a.weight_scale"][:, None] * 0.501).all()))
        self.assertTrue(torch.equal(dequantise(stored)["norm.weight"], weight[0]))


if __name__ == "__main__":
    unittest.main()
