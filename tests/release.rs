//! What a release is made of: datelines in the forms that Arabic and English copy has, headline, text, contact block.

use std::fs;
use std::path::Path;

use translate::release::{Calendar, Date, Dateline, Release, Role};

/// Sentence, its dateline in English, its date as ISO 8601 where the year is known, and how its text begins.
type Row = (&'static str, &'static str, Option<&'static str>, &'static str);

const DATELINES: &[Row] = &[
    // The forms of the agencies.
    ("الرياض في 5 مارس /واس/ - أعلنت الوزارة", "RIYADH, March 5 (SPA)", None, "أعلنت"),
    ("الرياض في 5 مارس /واس/ أعلنت الوزارة", "RIYADH, March 5 (SPA)", None, "أعلنت"),
    ("بيروت (رويترز) - قال مسؤول", "BEIRUT (Reuters)", None, "قال"),
    ("القاهرة - أ ش أ: افتتح الوزير", "CAIRO (MENA)", None, "افتتح"),
    ("دبي 12 فبراير 2024 (وام) - وقعت", "DUBAI, Feb. 12, 2024 (WAM)", Some("2024-02-12"), "وقعت"),
    ("الكويت - 21 - 1 (كونا) -- أقر", "KUWAIT CITY, Jan. 21 (KUNA)", None, "أقر"),
    ("الكويت - (كونا) - كشفت", "KUWAIT CITY (KUNA)", None, "كشفت"),
    ("دمشق-سانا: أعلنت", "DAMASCUS (SANA)", None, "أعلنت"),
    ("رام الله 15-11-2023 وفا- قرر", "RAMALLAH, Nov. 15, 2023 (WAFA)", Some("2023-11-15"), "قرر"),
    ("الرياض، 15 يوليو 2024م، واس: رأس", "RIYADH, July 15, 2024 (SPA)", Some("2024-07-15"), "رأس"),
    // Months of the Levant, the Maghreb, both names at once, Arabic-Indic digits, vowel marks.
    ("عمّان في 17 آذار (بترا) – وجّه", "AMMAN, March 17 (Petra)", None, "وجّه"),
    ("بيروت، 3 كانون الأول 2025 (الوطنية) - بحث", "BEIRUT, Dec. 3, 2025 (NNA)", Some("2025-12-03"), "بحث"),
    ("تونس 8 جويلية (وات) - انطلقت", "TUNIS, July 8 (TAP)", None, "انطلقت"),
    ("الرباط، 2 غشت 2024 (ومع) - ترأس", "RABAT, Aug. 2, 2024 (MAP)", Some("2024-08-02"), "ترأس"),
    ("بغداد، ٩ شباط/فبراير ٢٠٢٣ (واع) - افتتح", "BAGHDAD, Feb. 9, 2023 (INA)", Some("2023-02-09"), "افتتح"),
    // The Hijri calendar: with its Gregorian equivalent that one counts, alone it stays.
    (
        "الرياض في 7 جمادى الأولى 1446هـ الموافق 9 نوفمبر 2024م (واس) - انطلقت",
        "RIYADH, Nov. 9, 2024 (SPA)",
        Some("2024-11-09"),
        "انطلقت",
    ),
    ("مكة المكرمة 10 رمضان 1445هـ (واس) - وصل", "MAKKAH, 10 Ramadan 1445 H (SPA)", None, "وصل"),
    // Companies: comma, dash or colon; a country; a city that no table knows.
    ("الرياض، 4 سبتمبر 2025: أعلنت", "RIYADH, Sept. 4, 2025", Some("2025-09-04"), "أعلنت"),
    ("دبي، الإمارات العربية المتحدة، 12 مايو 2023: كشفت", "DUBAI, May 12, 2023", Some("2023-05-12"), "كشفت"),
    ("الدوحة – مؤسسة قطر تفتتح المؤتمر", "DOHA", None, "مؤسسة"),
    ("القاهرة، الأحد 14/10/2026 - أعلنت", "CAIRO, Oct. 14, 2026", Some("2026-10-14"), "أعلنت"),
    ("مدينة الرملة، 14 أكتوبر 2026 – أعلنت", "مدينة الرملة, Oct. 14, 2026", Some("2026-10-14"), "أعلنت"),
    // English copy.
    (
        "DUBAI, United Arab Emirates, Feb. 12, 2024 (WAM) – The firm",
        "DUBAI, Feb. 12, 2024 (WAM)",
        Some("2024-02-12"),
        "The firm",
    ),
    ("BEIRUT (Reuters) - An official", "BEIRUT (Reuters)", None, "An official"),
    ("RAMLA (RNA) - The port", "RAMLA (RNA)", None, "The port"),
    ("Riyadh, Saudi Arabia, March 5, 2024: The ministry", "RIYADH, March 5, 2024", Some("2024-03-05"), "The ministry"),
];

#[test]
fn datelines_are_read_in_all_their_forms() {
    for (sentence, english, iso, text) in DATELINES {
        let dateline = Dateline::parse(sentence).unwrap_or_else(|| panic!("no dateline in {sentence}"));
        assert_eq!(dateline.english(), *english, "{sentence}");
        assert_eq!(dateline.date.and_then(|date| date.iso()).as_deref(), *iso, "{sentence}");
        let rest = &sentence[dateline.text.len()..];
        assert!(rest.trim_start().starts_with(text), "{rest}");
    }
}

#[test]
fn what_only_looks_like_a_dateline_is_none() {
    for sentence in [
        "توقف ضخ النفط عبر خط كركوك - جيهان منذ 25 مارس 2023 عقب حكم تحكيم دولي.",
        "القاهرة - أسوان: قطار جديد",
        "طهران: لن نتراجع",
        "نبذة عن الهيئة: تأسست الهيئة عام 2007.",
        "وقال الوزير (45 عاما) - وهو مهندس - إن المشروع اكتمل.",
        "جلسة النطق بالحكم: 22 شباط 2024.",
        "دبي تستضيف المعرض في 5 مارس - أكبر حدث في العام",
        "The minister said on March 5 - a Tuesday - that it opened.",
        "The Saudi Central Bank (SAMA) raised its repo rate.",
        "",
        "-",
    ] {
        assert_eq!(Dateline::parse(sentence), None, "{sentence}");
    }
}

/// The pairs' authors gave every Arabic dateline its English form, by hand.
#[test]
fn datelines_of_the_training_pairs_are_those_of_their_english() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("training/press");
    let (mut right, mut wrong) = (0, Vec::new());
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let pairs = text.lines().filter_map(|line| line.split_once('\t')).filter(|(arabic, _)| !arabic.contains('{'));
        for (arabic, english) in pairs {
            let Some((head, _)) = english.split_once(" – ").filter(|(head, _)| is_dateline(head)) else { continue };
            let found = Dateline::parse(arabic).map(|dateline| dateline.english());
            match found {
                Some(found) if found == head => right += 1,
                found => wrong.push(format!("{head}: {found:?} in {arabic}")),
            }
        }
    }
    // Authors differ over Kuwait (City), Jidda and Jeddah, and agencies' names in full.
    assert!(right > 100 && wrong.len() * 9 < right, "{right} right, not {}", wrong.join("\n"));
}

/// Whether English text before a dash is a dateline: a city in capitals and no more than its date and agency.
fn is_dateline(head: &str) -> bool {
    let city = head.split([',', '(']).next().unwrap_or_default();
    head.len() < 60 && city.contains(char::is_alphabetic) && !city.contains(char::is_lowercase)
}

#[test]
fn dates_are_read_by_any_of_their_names() {
    let date = |day, month, year, calendar| Some(Date { day, month, year, calendar });
    let cases = [
        ("5 مارس 2024", date(5, 3, Some(2024), Calendar::Gregorian)),
        ("التاريخ: الأحد 12/5/2024م", date(12, 5, Some(2024), Calendar::Gregorian)),
        ("2024-05-12", date(12, 5, Some(2024), Calendar::Gregorian)),
        ("٣ تشرين الثاني ٢٠٢٥", date(3, 11, Some(2025), Calendar::Gregorian)),
        ("12 ربيع الآخر 1446هـ", date(12, 4, Some(1446), Calendar::Hijri)),
        ("12 ربيع الآخر 1446هـ الموافق 15 أكتوبر 2024م", date(15, 10, Some(2024), Calendar::Gregorian)),
        ("March 5, 2024", date(5, 3, Some(2024), Calendar::Gregorian)),
        ("Date: 5 March", date(5, 3, None, Calendar::Gregorian)),
        ("45 مارس 2024", None),
        ("5 مارس يوم عطلة", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(Date::parse(text), expected, "{text}");
    }
}

/// The roles of a release's paragraphs, a letter each.
fn roles(text: &str) -> String {
    let letter = |role| match role {
        Role::Notice => 'n',
        Role::Headline => 'H',
        Role::Subhead => 's',
        Role::Body => 'b',
        Role::About => 'a',
        Role::Contact => 'c',
        Role::Note => 'x',
    };
    Release::parse(text).paragraphs.iter().map(|paragraph| letter(paragraph.role)).collect()
}

#[test]
fn paragraphs_of_the_examples_are_told_apart() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let cases = [
        ("earnings.txt", "Hbbbbbc"),
        ("final.txt", "nHbbbbbbbbbcx"),
        ("partnership.txt", "Hbbbbbbbbbbaaaax"),
        ("port.txt", "Hbbbbbbbaaccx"),
        ("wire.txt", "nbbbbx"),
    ];
    for (name, expected) in cases {
        assert_eq!(roles(&fs::read_to_string(folder.join(name)).unwrap()), expected, "{name}");
    }
}

#[test]
fn headlines_and_blocks_are_found_in_other_layouts() {
    let cases = [
        // One paragraph is text, whatever it looks like; so is a list of short lines.
        ("افتتاح المستشفى الجديد", "b"),
        ("", ""),
        ("واحد\nاثنان\nثلاثة\n", "bbb"),
        // A subhead; a dateline on a line of its own; an English block after "ends".
        (
            "عنوان الخبر\nعنوان فرعي للخبر\n\nدبي، 5 مارس 2024 – أعلنت الشركة اليوم عن افتتاح فرع جديد في المدينة.",
            "Hsb",
        ),
        ("عنوان الخبر\nالرياض - واس\nأعلنت الوزارة اليوم عن افتتاح مستشفى جديد في مدينة جدة.", "Hnb"),
        (
            "For Immediate Release\nMarch 5, 2024\nBank opens branch\n\nThe bank opened a branch on Sunday in the old town.\n\n\
             - ENDS -\n\nAbout the bank\nThe bank was founded in 1990.\n\nMedia contact:\nSalma Nasser\npress@bank.example\n",
            "nnHbxaaccc",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(roles(text), expected, "{text}");
    }
    let release = Release::parse("عنوان الخبر\nالرياض - واس\nأعلنت الوزارة اليوم عن افتتاح مستشفى جديد في مدينة جدة.");
    assert_eq!(release.dateline.unwrap().english(), "RIYADH (SPA)");
    let release = Release::parse("بيان صحفي\n5 مارس 2024\nعنوان\nأعلنت الوزارة اليوم افتتاح المستشفى.");
    assert_eq!(release.date.unwrap().iso().as_deref(), Some("2024-03-05"));
}
