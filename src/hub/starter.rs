//! The model that is compiled into the program, with the cargo feature `starter`: the files of `models/starter`.

use super::{Error, ModelFolder};

/// Whether this build has it.
pub const IS_BUILT_IN: bool = cfg!(feature = "starter");

#[cfg(feature = "starter")]
macro_rules! content {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/", $name)).as_slice()
    };
}

/// Names and contents. One vocabulary serves both languages, so that `target.spm` equals `source.spm`.
#[cfg(feature = "starter")]
const FILES: [(&str, &[u8]); 7] = [
    ("config.json", content!("config.json")),
    ("generation_config.json", content!("generation_config.json")),
    ("model.safetensors", content!("model.safetensors")),
    ("source.spm", content!("source.spm")),
    ("target.spm", content!("source.spm")),
    ("tokenizer_config.json", content!("tokenizer_config.json")),
    ("vocab.json", content!("vocab.json")),
];

#[cfg(feature = "starter")]
pub(super) fn open() -> Result<ModelFolder, Error> {
    let provenance = super::Provenance {
        name: crate::registry::STARTER.to_owned(),
        repo: None,
        revision: Some(env!("CARGO_PKG_VERSION").to_owned()),
        commit: None,
    };
    Ok(ModelFolder::built_in(&FILES, provenance))
}

#[cfg(not(feature = "starter"))]
pub(super) fn open() -> Result<ModelFolder, Error> {
    Err(Error::NotBuiltIn)
}

#[cfg(all(test, feature = "starter"))]
mod tests {
    #[test]
    fn both_languages_have_one_vocabulary() {
        let target = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/starter/target.spm"));
        let embedded = super::FILES.iter().find(|(name, _)| *name == "target.spm");
        assert_eq!(embedded.unwrap().1, target);
    }
}
