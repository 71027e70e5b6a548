//! The files that a model is made of, wherever they lie.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::cache::is_plain_name;
use super::{Error, ModelFile};
use crate::registry::Family;

pub(super) const CONFIG: &str = "config.json";
const WHOLE: &str = "model.safetensors";
const PICKLE: &str = "pytorch_model.bin";
/// What follows the name of whole weights in that of an index of their shards.
const INDEX: &str = ".index.json";

/// A model's files, at hand.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    files: BTreeMap<String, ModelFile>,
    weights: Vec<ModelFile>,
    /// Its architecture, as `config.json` names it.
    pub family: Family,
    /// Where they come from.
    pub provenance: Provenance,
}

/// Where a model's files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// How the user named the model: registry name, `org/repo` or path.
    pub name: String,
    /// Repository on the hub, unless it is a local folder or built in.
    pub repo: Option<String>,
    /// Revision as asked for; of the built-in model, the program's version.
    pub revision: Option<String>,
    /// Commit that the revision resolved to.
    pub commit: Option<String>,
}

impl fmt::Display for Provenance {
    /// `name@commit`, or with the revision where no commit is known: what names the model for good.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.commit.as_ref().or(self.revision.as_ref()) {
            Some(revision) => write!(f, "{}@{revision}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl ModelFolder {
    /// Of files that are known to be there and to make a whole model.
    pub(super) fn new(folder: &Path, names: &Names, provenance: Provenance) -> Self {
        let file = |name: &String| ModelFile::from(folder.join(name));
        Self {
            files: names.all().map(|name| (name.clone(), file(name))).collect(),
            weights: names.weights.iter().map(file).collect(),
            family: names.family,
            provenance,
        }
    }

    /// Of files that are compiled in, by their names and contents.
    #[cfg(feature = "starter")]
    pub(super) fn built_in(contents: &[(&str, &'static [u8])], provenance: Provenance) -> Self {
        let file = |name: &str, content| ModelFile::built_in(Path::new(&provenance.name).join(name), content);
        let files: BTreeMap<String, ModelFile> =
            contents.iter().map(|(name, content)| (name.to_string(), file(name, content))).collect();
        Self { weights: files.get(WHOLE).cloned().into_iter().collect(), files, family: Family::Marian, provenance }
    }

    /// A file by its name in the repository, if the model has it.
    pub fn file(&self, name: &str) -> Option<&ModelFile> {
        self.files.get(name)
    }

    /// The weights: one file, or the shards in the order of their names. Their extension tells
    /// `.safetensors` from a `.bin` pickle.
    pub fn weights(&self) -> &[ModelFile] {
        &self.weights
    }
}

/// The names of the files that make one model.
pub(super) struct Names {
    pub(super) family: Family,
    /// Configuration and vocabulary, the index of shards included.
    pub(super) plain: Vec<String>,
    /// One file of weights, or the shards; empty as long as an index has yet to be read.
    pub(super) weights: Vec<String>,
}

impl Names {
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.plain.iter().chain(&self.weights)
    }

    /// Chooses from the files that a place holds. Of several forms of weights one is taken: safetensors
    /// before safetensors in shards before a pickle before pickles.
    pub(super) fn choose(family: Family, held: &BTreeSet<String>, place: &str) -> Result<Self, Error> {
        let lacks = |file: &str| Error::Incomplete { place: place.to_owned(), file: file.to_owned() };
        let has = |name: &str| held.contains(name);
        if !has(CONFIG) {
            return Err(lacks(CONFIG));
        }
        let is_whole = |set: &&&[&str]| set.iter().all(|name| has(name));
        let Some(vocabulary) = family.vocabularies().iter().find(is_whole) else {
            return Err(lacks(&missing_vocabulary(family, held)));
        };
        let optional = family.optional_files().iter().filter(|name| has(name));
        let mut plain: Vec<String> =
            [CONFIG].iter().chain(*vocabulary).chain(optional).map(|name| name.to_string()).collect();
        let weights = if has(WHOLE) {
            vec![WHOLE.to_owned()]
        } else if has(&format!("{WHOLE}{INDEX}")) {
            plain.push(format!("{WHOLE}{INDEX}"));
            Vec::new()
        } else if has(PICKLE) {
            vec![PICKLE.to_owned()]
        } else if has(&format!("{PICKLE}{INDEX}")) {
            plain.push(format!("{PICKLE}{INDEX}"));
            Vec::new()
        } else {
            return Err(lacks("model.safetensors (or its shards, or pytorch_model.bin)"));
        };
        Ok(Self { family, plain, weights })
    }

    /// Fills in the shards, once the index, if there is one, lies in the folder.
    pub(super) fn add_shards(&mut self, folder: &Path) -> Result<(), Error> {
        if let Some(index) = self.plain.iter().find(|name| name.ends_with(INDEX)).filter(|_| self.weights.is_empty()) {
            self.weights = shards(&folder.join(index))?;
        }
        Ok(())
    }
}

/// What a place lacks to have a vocabulary: the first missing file, or the sets of files that would do.
fn missing_vocabulary(family: Family, held: &BTreeSet<String>) -> String {
    match family.vocabularies() {
        [only] => only.iter().find(|name| !held.contains(**name)).map(|name| name.to_string()).unwrap_or_default(),
        several => several.iter().map(|set| set.join(" with ")).collect::<Vec<_>>().join(" or "),
    }
}

/// The names of the files that an index of shards leads to.
fn shards(index: &Path) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let malformed = |reason: String| Error::Malformed { path: index.to_owned(), reason };
    let text = fs::read_to_string(index).map_err(Error::io("read", index))?;
    let map: Index = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let names: BTreeSet<String> = map.weight_map.into_values().collect();
    let pickles = index.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PICKLE));
    let extension = if pickles { ".bin" } else { ".safetensors" };
    match names.iter().find(|name| !is_plain_name(name) || !name.ends_with(extension)) {
        Some(name) => Err(malformed(format!("{name:?} is no name of a shard"))),
        None if names.is_empty() => Err(malformed("it names no shards".to_owned())),
        None => Ok(names.into_iter().collect()),
    }
}

/// The family that a `config.json` names, which must be `wanted` where that is given.
pub(super) fn family_of(config: &Path, wanted: Option<Family>, place: &str) -> Result<Family, Error> {
    #[derive(Deserialize)]
    struct Config {
        model_type: Option<String>,
        architectures: Option<Vec<String>>,
    }
    let text = fs::read_to_string(config).map_err(Error::io("read", config))?;
    let parsed: Config = serde_json::from_str(&text)
        .map_err(|error| Error::Malformed { path: config.to_owned(), reason: error.to_string() })?;
    let model_type = parsed.model_type.unwrap_or_default();
    let allowed: Vec<Family> = wanted.map_or_else(|| Family::ALL.to_vec(), |family| vec![family]);
    let is_named = |family: &Family| family.model_types().contains(&model_type.as_str());
    allowed.iter().copied().find(is_named).ok_or_else(|| {
        let types: Vec<&str> = allowed.iter().flat_map(|family| family.model_types()).copied().collect();
        let architectures = parsed.architectures.unwrap_or_default().join(", ");
        let found = match architectures.as_str() {
            "" => format!("{model_type:?}"),
            names => format!("{model_type:?} ({names})"),
        };
        Error::WrongFamily { place: place.to_owned(), found, supported: types.join(", ") }
    })
}

/// The names of the files in a folder; links that lead nowhere do not count.
pub(super) fn names_in(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let entry = entry.map_err(Error::io("list", folder))?;
        if entry.path().is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

/// A folder of the user's as a model.
pub(super) fn open(folder: &Path) -> Result<ModelFolder, Error> {
    let place = folder.display().to_string();
    let held = names_in(folder)?;
    if !held.contains(CONFIG) {
        return Err(Error::Incomplete { place, file: CONFIG.to_owned() });
    }
    let family = family_of(&folder.join(CONFIG), None, &place)?;
    let mut names = Names::choose(family, &held, &place)?;
    names.add_shards(folder)?;
    if let Some(missing) = names.weights.iter().find(|name| !held.contains(*name)) {
        return Err(Error::Incomplete { place, file: missing.clone() });
    }
    let provenance = Provenance { name: place, repo: None, revision: None, commit: None };
    Ok(ModelFolder::new(folder, &names, provenance))
}
