//! Any text may be handed in as a models file or as the name of a model: no panic, errors with a line that exists,
//! and whatever is accepted is safe to use in paths.
#![no_main]

use libfuzzer_sys::fuzz_target;
use translate::registry::{Error, ModelRef, Registry};

fuzz_target!(|text: &str| {
    let mut registry = Registry::builtin().expect("the built-in registry is well formed");
    match registry.extend_from_str(text, "fuzz.toml") {
        Ok(()) => {
            for model in registry.models() {
                assert_eq!(registry.find(&model.name).ok(), Some(model));
                assert!(!model.repo.as_str().contains("..") && !model.revision.as_str().contains(".."));
                let pair = model.source.first().zip(model.target.first());
                pair.map(|(from, to)| registry.default_for(from, to).is_ok());
            }
        }
        Err(Error::Invalid { line, .. }) => assert!((1..=text.matches('\n').count() + 1).contains(&line)),
        Err(other) => panic!("{other}"),
    }
    if let Ok(reference) = ModelRef::parse(text, &registry) {
        assert!(!reference.name().is_empty());
    }
});
