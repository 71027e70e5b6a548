//! Scores equal those that sacreBLEU and rouge_score computed (make_scores.py and make_rouge.py in
//! tests/fixtures/metrics).

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use translate::metrics::{
    Corpus, Estimate, Metric, MetricsError, Parts, Rouge, Score, Signature, TestSet, tokenize_13a,
};

/// Those that sacreBLEU has too.
const METRICS: [Metric; 3] = [Metric::Bleu, Metric::Chrf, Metric::ChrfPlusPlus];

#[derive(Deserialize)]
struct Golden {
    sacrebleu: String,
    hypotheses: Vec<String>,
    other: Vec<String>,
    close: Vec<String>,
    references: Vec<Vec<String>>,
    tokens: Vec<(String, String)>,
    evaluations: Vec<ExpectedEvaluation>,
    comparisons: Vec<ExpectedComparison>,
}

#[derive(Deserialize)]
struct ExpectedEvaluation {
    metric: String,
    references: usize,
    system: String,
    corpus: ExpectedScore,
    segments: Vec<ExpectedScore>,
}

#[derive(Deserialize)]
struct ExpectedScore {
    score: f64,
    line: String,
    precisions: Option<Vec<f64>>,
    brevity_penalty: Option<f64>,
}

#[derive(Deserialize)]
struct ExpectedComparison {
    metric: String,
    references: usize,
    system: String,
    baseline: String,
    expected: ExpectedEstimates,
}

#[derive(Deserialize)]
struct ExpectedEstimates {
    signature: String,
    baseline: ExpectedEstimate,
    system: ExpectedEstimate,
    p_value: f64,
}

#[derive(Deserialize)]
struct ExpectedEstimate {
    score: f64,
    mean: f64,
    interval: f64,
}

impl Golden {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/metrics/scores.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn test_set(&self, references: usize) -> TestSet {
        let corpora =
            self.references.iter().take(references).map(|segments| Corpus::new("reference", segments.clone()));
        TestSet::new(corpora.collect()).unwrap()
    }

    fn system(&self, name: &str) -> Corpus {
        let segments = match name {
            "hypotheses" => &self.hypotheses,
            "other" => &self.other,
            "close" => &self.close,
            _ => panic!("no system {name}"),
        };
        Corpus::new(name, segments.clone())
    }
}

fn metric(name: &str) -> Metric {
    METRICS.into_iter().find(|metric| metric.name() == name).unwrap()
}

fn assert_near(found: f64, expected: f64, most: f64, what: &str) {
    assert!((found - expected).abs() <= most, "{what}: {found} is not {expected}");
}

fn assert_score(metric: Metric, found: &Score, signature: &Signature, expected: &ExpectedScore) {
    assert_near(found.value, expected.score, 1e-9, &expected.line);
    // Ours says that another program has the score of this release.
    let line = format!("{}|{signature} = {}", metric.name(), found.text(1));
    assert_eq!(line.replacen("+translate", "", 1), expected.line);
    assert_eq!(matches!(found.parts, Parts::Bleu(_)), metric == Metric::Bleu);
    if let (Parts::Bleu(parts), Some(precisions), Some(penalty)) =
        (&found.parts, &expected.precisions, expected.brevity_penalty)
    {
        for (found, expected) in parts.precisions.iter().zip(precisions) {
            assert_near(*found, *expected, 1e-9, "precision");
        }
        assert_near(parts.brevity_penalty, penalty, 1e-9, "brevity penalty");
    }
}

fn assert_estimate(found: Estimate, expected: &ExpectedEstimate) {
    assert_near(found.score, expected.score, 1e-9, "score");
    // The resamples of sacreBLEU have single precision.
    assert_near(found.mean, expected.mean, 1e-4, "mean");
    assert_near(found.interval, expected.interval, 1e-4, "interval");
}

#[test]
fn tokens_are_those_of_sacrebleu() {
    for (text, tokens) in Golden::read().tokens {
        assert_eq!(tokenize_13a(&text), tokens, "{text:?}");
    }
}

#[test]
fn scores_are_those_of_sacrebleu() {
    let golden = Golden::read();
    let mut checked: HashMap<Metric, usize> = HashMap::new();
    for expected in &golden.evaluations {
        let metric = metric(&expected.metric);
        let system = golden.system(&expected.system);
        let found = golden.test_set(expected.references).evaluate(metric, &system).unwrap();
        assert_score(metric, &found.score, &found.signature, &expected.corpus);
        assert_eq!(found.segments.len(), expected.segments.len());
        for (found_segment, expected) in found.segments.iter().zip(&expected.segments) {
            assert_score(metric, found_segment, &found.segment_signature, expected);
        }
        *checked.entry(metric).or_default() += found.segments.len();
    }
    let each = 6 * golden.hypotheses.len();
    assert_eq!(checked, METRICS.into_iter().map(|metric| (metric, each)).collect());
}

/// Precision, recall and F of ROUGE-1, -2 and -L.
type RougeScores = [[f64; 3]; 3];

#[derive(Deserialize)]
struct GoldenRouge {
    pairs: Vec<(String, String, RougeScores, RougeScores)>,
    several: Vec<(String, Vec<String>, RougeScores, RougeScores)>,
}

fn assert_rouge(hypothesis: &str, references: &[String], words: &RougeScores, stems: &RougeScores) {
    let corpus = |text: &str| Corpus::new("text", vec![text.to_owned()]);
    let test_set = TestSet::new(references.iter().map(|text| corpus(text)).collect()).unwrap();
    for (stemmed, expected) in [(false, words), (true, stems)] {
        for (rouge, [precision, recall, f1]) in [Rouge::One, Rouge::Two, Rouge::L].into_iter().zip(expected) {
            let found = test_set.evaluate(Metric::Rouge { rouge, stemmed }, &corpus(hypothesis)).unwrap();
            let what = format!("{rouge:?} of {hypothesis:?} and {references:?}, stemmed: {stemmed}");
            assert_near(found.score.value, 100.0 * f1, 1e-9, &what);
            let Parts::Rouge { precision: found_precision, recall: found_recall } = found.score.parts else {
                panic!("{what} has {:?}", found.score.parts);
            };
            assert_near(found_precision, 100.0 * precision, 1e-9, &what);
            assert_near(found_recall, 100.0 * recall, 1e-9, &what);
        }
    }
}

#[test]
fn rouge_is_that_of_rouge_score() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/metrics/rouge.json");
    let golden: GoldenRouge = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(golden.pairs.len() > 600 && golden.several.len() > 40);
    for (hypothesis, reference, words, stems) in &golden.pairs {
        assert_rouge(hypothesis, std::slice::from_ref(reference), words, stems);
    }
    for (hypothesis, references, words, stems) in &golden.several {
        assert_rouge(hypothesis, references, words, stems);
    }
}

#[test]
fn rouge_of_a_corpus_is_the_mean_of_its_segments() {
    let corpus = |texts: [&str; 2]| Corpus::new("text", texts.map(str::to_owned).to_vec());
    let test_set = TestSet::new(vec![corpus(["the port opened", "a b c d"])]).unwrap();
    let metric = Metric::Rouge { rouge: Rouge::One, stemmed: false };
    let found = test_set.evaluate(metric, &corpus(["the port opened", "a b x y"])).unwrap();
    assert_eq!(found.segments.iter().map(|score| score.value).collect::<Vec<_>>(), [100.0, 50.0]);
    assert_eq!(found.score.value, 75.0);
    assert_eq!(found.signature.to_string(), "nrefs:1|case:lc|stem:no|version:rouge_score-0.1.2+translate");
}

#[test]
fn significance_is_that_of_sacrebleu() {
    let golden = Golden::read();
    for expected in &golden.comparisons {
        let (system, baseline) = (golden.system(&expected.system), golden.system(&expected.baseline));
        let test_set = golden.test_set(expected.references);
        let found = test_set.compare(metric(&expected.metric), &system, &baseline).unwrap();
        let expected = &expected.expected;
        assert_near(found.p_value, expected.p_value, 1e-12, "probability");
        assert_eq!(found.is_significant(), expected.p_value <= 0.05);
        assert_eq!(found.signature.to_string().replacen("+translate", "", 1), expected.signature);
        assert_estimate(found.system, &expected.system);
        assert_estimate(found.baseline, &expected.baseline);
    }
}

#[test]
fn signatures_name_the_release_matched_and_the_program() {
    let golden = Golden::read();
    let found = golden.test_set(1).evaluate(Metric::Bleu, &golden.system("close")).unwrap();
    let version = format!("|version:{}+translate", golden.sacrebleu);
    assert!(found.signature.to_string().ends_with(&version), "{}", found.signature);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let corpus = |name: &str, count: usize| Corpus::new(name, vec!["text".to_owned(); count]);
    assert_eq!(TestSet::new(Vec::new()), Err(MetricsError::NoReferences));
    assert_eq!(TestSet::new(vec![corpus("ref.en", 0)]), Err(MetricsError::Empty { name: "ref.en".to_owned() }));

    let error = TestSet::new(vec![corpus("a.en", 3), corpus("b.en", 2)]).unwrap_err();
    assert_eq!(error.to_string(), "b.en has 2 lines, but a.en has 3; line by line they must belong together");

    let test_set = TestSet::new(vec![corpus("a.en", 3)]).unwrap();
    for metric in METRICS {
        let error = test_set.evaluate(metric, &corpus("out.en", 4)).unwrap_err();
        assert!(error.to_string().starts_with("out.en has 4 lines, but a.en has 3"), "{error}");
        assert!(test_set.compare(metric, &corpus("out.en", 3), &corpus("old.en", 2)).is_err());
    }
}

#[test]
fn a_single_segment_can_be_resampled() {
    let corpus = |text: &str| Corpus::new("text", vec![text.to_owned()]);
    let test_set = TestSet::new(vec![corpus("the port opened on Monday")]).unwrap();
    let found = test_set.compare(Metric::Chrf, &corpus("the port opened"), &corpus("the port")).unwrap();
    assert_near(found.system.mean, found.system.score, 1e-9, "mean");
    assert_eq!(found.system.interval, 0.0);
}
