//! The models known by name, and how a user names one.

use std::fs;

use translate::registry::{Error, Family, ModelRef, Registry, Task};

const ENTRY: &str = r#"
[[model]]
name = "news-ar-en"
repo = "newsroom/news-ar-en"
family = "marian"
source = ["ar"]
target = ["en", "fr"]
task = "translate"
licence = "MIT"
download_mb = 100
memory_mb = 200
advice = "Ours."
"#;

fn builtin() -> Registry {
    Registry::builtin().unwrap()
}

/// Line and message of the error that the text gives.
fn refusal(text: &str) -> (usize, String) {
    match Registry::default().extend_from_str(text, "own.toml") {
        Err(Error::Invalid { line, message, .. }) => (line, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_builtin_models_are_of_every_family() {
    let registry = builtin();
    let names: Vec<&str> = registry.models().iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names[..3], ["opus-mt-tc-big-ar-en", "opus-mt-ar-en", "starter"]);
    assert_eq!(registry.find("starter").unwrap().repo, None);
    for family in Family::ALL {
        assert!(registry.models().iter().any(|model| model.family == family), "{family:?}");
    }
    let restricted: Vec<&str> = registry
        .models()
        .iter()
        .filter(|model| model.forbids_commercial_use())
        .map(|model| model.name.as_str())
        .collect();
    assert_eq!(
        restricted,
        ["nllb-200-distilled-600M", "nllb-200-distilled-1.3B", "mT5_m2o_english_crossSum", "mT5_multilingual_XLSum"]
    );
    let light = registry.find("opus-mt-ar-en").unwrap();
    assert_eq!(light.repo.as_ref().unwrap().as_str(), "Helsinki-NLP/opus-mt-ar-en");
    assert_eq!((light.revision.as_str(), light.family, light.task), ("main", Family::Marian, Task::Translate));
    assert_eq!(light.licence, "Apache-2.0");
    assert_eq!(registry.default_for(Task::Translate, "ar", "en").unwrap().name, "opus-mt-tc-big-ar-en");
}

#[test]
fn a_pair_that_no_model_offers_is_an_error_with_the_offer() {
    let mut registry = builtin();
    registry.extend_from_str(ENTRY, "own.toml").unwrap();
    assert_eq!(registry.default_for(Task::Translate, "ar", "fr").unwrap().name, "news-ar-en");
    let text = registry.default_for(Task::Translate, "en", "ar").unwrap_err().to_string();
    assert!(text.contains("en to ar; on offer: ar-en, ar-fr;"), "{text}");
}

#[test]
fn a_users_file_adds_replaces_and_chooses_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    let replaced = ENTRY.replace("news-ar-en", "opus-mt-ar-en");
    let overrides = "[model.generation]\nnum_beams = 6\nlength_penalty = 0.6\nmax_length = 256\n\
                     no_repeat_ngram_size = 3\nrepetition_penalty = 1.1\n";
    fs::write(&file, format!("default = \"news-ar-en\"\n{replaced}{ENTRY}{overrides}")).unwrap();
    let mut registry = builtin();
    registry.extend_from(&file).unwrap();

    assert_eq!(registry.models().len(), builtin().models().len() + 1);
    let replaced = registry.find("opus-mt-ar-en").unwrap();
    assert_eq!(replaced.repo.as_ref().unwrap().as_str(), "newsroom/opus-mt-ar-en");
    let ours = registry.default_for(Task::Translate, "ar", "en").unwrap();
    assert_eq!((ours.name.as_str(), ours.revision.as_str()), ("news-ar-en", "main"));
    let generation = &ours.generation;
    assert_eq!(generation.num_beams.map(u32::from), Some(6));
    assert_eq!(generation.length_penalty, Some(0.6));
    assert_eq!(generation.max_length.map(u32::from), Some(256));
    assert_eq!(generation.no_repeat_ngram_size, Some(3));
    assert_eq!(generation.repetition_penalty, Some(1.1));
}

#[test]
fn a_mistake_in_a_file_is_named_with_its_line() {
    let with = |old: &str, new: &str| refusal(&ENTRY.replace(old, new));
    let on_line = |(line, message): (usize, String), wanted: usize, part: &str| {
        assert!(line == wanted && message.contains(part), "{line}: {message}");
    };
    on_line(with("licence", "license"), 9, "unknown field `license`");
    on_line(with("download_mb = 100", "download_mb = -1"), 10, "invalid value");
    on_line(with("newsroom/news-ar-en", "../etc/passwd"), 4, "not a repository");
    on_line(with("\"news-ar-en\"", "\"a/b\""), 3, "is no name");
    on_line(with("\"marian\"", "\"oracle\""), 5, "unknown variant `oracle`");
    on_line(with("[\"ar\"]", "[]"), 6, "at least one language");
    on_line(with("name = \"news-ar-en\"\n", ""), 2, "missing field `name`");
    on_line(refusal(&format!("{ENTRY}{ENTRY}")), 14, "given to a second model");
    on_line(refusal(&format!("\ndefault = \"nobody\"\n{ENTRY}")), 2, "no model's name");
    on_line(refusal(&format!("{ENTRY}generation.num_beams = 0\n")), 13, "nonzero");
    on_line(refusal(&format!("{ENTRY}generation.repetition_penalty = 0.0\n")), 13, "above 0");
    on_line(refusal(&format!("{ENTRY}generation.length_penalty = nan\n")), 13, "finite");
    on_line(refusal("\nmodels = [\n"), 2, "unclosed array");
    let text = Registry::default().extend_from_str("[[model]\n", "own.toml").unwrap_err().to_string();
    assert!(text.starts_with("own.toml:1: ") && text.lines().count() == 1, "{text}");
}

#[test]
fn a_wrong_file_leaves_the_registry_as_it_was() {
    let mut registry = builtin();
    assert!(registry.extend_from_str(&format!("{ENTRY}{ENTRY}"), "own.toml").is_err());
    assert_eq!(registry.models(), builtin().models());
    let text = registry.extend_from("/nowhere/own.toml".as_ref()).unwrap_err().to_string();
    assert!(text.contains("cannot read the models file /nowhere/own.toml"), "{text}");
}

#[test]
fn a_model_is_named_by_registry_repository_or_folder() {
    let registry = builtin();
    let named = |text: &str| ModelRef::parse(text, &registry);
    assert!(matches!(named("opus-mt-ar-en").unwrap(), ModelRef::Registry(spec) if spec.name == "opus-mt-ar-en"));
    let pinned = named("opus-mt-ar-en@refs/pr/1").unwrap();
    assert_eq!(pinned.repo().unwrap().1.as_str(), "refs/pr/1");
    assert_eq!(pinned.command_name(), "opus-mt-ar-en@refs/pr/1");
    let repo = named("org/name@v1.0").unwrap();
    assert_eq!(repo.repo().map(|(repo, revision)| (repo.as_str(), revision.as_str())), Some(("org/name", "v1.0")));
    assert_eq!(repo.name(), "org/name");
    assert_eq!(named("org/name").unwrap().command_name(), "org/name");

    // What the registry knows of a repository holds for it under that name too.
    let known = named("facebook/nllb-200-distilled-600M@v2").unwrap();
    assert_eq!(known.command_name(), "nllb-200-distilled-600M@v2");

    let folder = tempfile::tempdir().unwrap();
    assert_eq!(named(folder.path().to_str().unwrap()).unwrap(), ModelRef::Folder(folder.path().to_owned()));
}

#[test]
fn a_reference_that_names_nothing_says_what_could_be_meant() {
    let registry = builtin();
    let refused = |text: &str| ModelRef::parse(text, &registry).unwrap_err().to_string();
    let near = refused("opus-mt-en-ar");
    assert!(near.contains("did you mean opus-mt-ar-en") && near.contains("translate models list"), "{near}");
    assert!(!refused("zzz").contains("did you mean"));
    for path in ["./models/mine", "/models/mine", "a/b/c", "..\\mine"] {
        assert!(refused(path).contains("there is no folder"), "{path}");
    }
    for text in ["org/na me", "org/..", "org/name@../x", "org/name@", "org/a--b", "/x@y", ""] {
        assert!(!refused(text).is_empty());
    }
}
