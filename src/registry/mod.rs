//! The models known by name: a table compiled in, which files of the user's extend.

mod family;
mod reference;
mod spec;

use std::path::{Path, PathBuf};

pub use family::Family;
pub use reference::ModelRef;
use serde::Deserialize;
pub use spec::{GenerationOverrides, ModelSpec, RepoId, Revision, Task};
use thiserror::Error;
use toml::Spanned;

/// The name of the model that is built into the program.
pub const STARTER: &str = "starter";

/// The table that comes with the program.
const BUILTIN: &str = include_str!("../../models.toml");

/// What can be wrong with a registry file, or with a model asked of the registry.
#[derive(Debug, Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the models file {}: {source}; check its path and permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a registry: broken TOML, an unknown field, a value out of range, a name twice.
    #[error("{origin}:{line}: {message}; mend that line, `models.toml` in the sources shows the form")]
    Invalid {
        /// The file's path, or the name of the compiled-in table.
        origin: String,
        /// Line in the file, from 1.
        line: usize,
        /// What is wrong, without a full stop.
        message: String,
    },
    /// No model offers the pair of languages.
    #[error("no known model is there to {task} {from} to {to}; on offer: {offered}; name another with --model")]
    NoPair {
        /// What it is to do.
        task: Task,
        /// Source language asked for.
        from: String,
        /// Target language asked for.
        to: String,
        /// All pairs that models offer, as `ar-en, …`.
        offered: String,
    },
    /// No model has the name.
    #[error(
        "no model is called {name:?}{suggestion}; `translate models list` shows the known ones, \
         and org/repo[@revision] or the path of a folder name any other"
    )]
    Unknown {
        /// The name asked for.
        name: String,
        /// Empty, or a clause with the near names.
        suggestion: String,
    },
    /// The reference is a path where no folder is.
    #[error("there is no folder {}; give a folder in the hub's layout, org/repo[@revision] or a registry name", path.display())]
    NoFolder {
        /// The path asked for.
        path: PathBuf,
    },
    /// The reference looks like `org/repo[@revision]` but breaks the hub's rules for names.
    #[error("{text:?} names no model: {reason}")]
    BadReference {
        /// What was asked for.
        text: String,
        /// Which rule it breaks.
        reason: String,
    },
}

/// Models by name, in the order in which their files list them.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    models: Vec<ModelSpec>,
    default: Option<String>,
}

/// A registry file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    default: Option<Spanned<String>>,
    #[serde(default, rename = "model")]
    models: Vec<Spanned<ModelSpec>>,
}

impl Registry {
    /// The models that come with the program.
    ///
    /// # Errors
    /// None in a released build: a test reads the compiled-in table.
    pub fn builtin() -> Result<Self, Error> {
        let mut registry = Self::default();
        registry.extend_from_str(BUILTIN, "the built-in models.toml")?;
        Ok(registry)
    }

    /// Adds the models of a file; one with a known name replaces the known one, and the file's `default`,
    /// if it has one, takes the place of the default so far.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Invalid`] with the line; the registry is then unchanged.
    pub fn extend_from(&mut self, path: &Path) -> Result<(), Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        self.extend_from_str(&text, &path.display().to_string())
    }

    /// As [`Registry::extend_from`], for text at hand; `origin` names it in errors.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line; the registry is then unchanged.
    pub fn extend_from_str(&mut self, text: &str, origin: &str) -> Result<(), Error> {
        let invalid = |offset: usize, message: String| Error::Invalid {
            origin: origin.to_owned(),
            line: line_of(text, offset),
            message,
        };
        let table: Table = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(text.len(), |span| span.start);
            invalid(offset, error.message().trim_end_matches('.').replace('\n', " "))
        })?;

        let mut added: Vec<ModelSpec> = Vec::new();
        for model in table.models {
            let offset = model.span().start;
            let model = model.into_inner();
            if added.iter().any(|other| other.name == model.name) {
                return Err(invalid(offset, format!("the name {:?} is given to a second model", model.name)));
            }
            match (model.name == STARTER, &model.repo) {
                (true, Some(_)) => {
                    return Err(invalid(offset, format!("the name {STARTER:?} is the built-in model's")));
                }
                (false, None) => return Err(invalid(offset, "missing field `repo`".to_owned())),
                _ => added.push(model),
            }
        }
        if let Some(default) = &table.default {
            let known = self.models.iter().chain(&added).any(|model| model.name == *default.get_ref());
            if !known {
                let message = format!("the default {:?} is no model's name", default.get_ref());
                return Err(invalid(default.span().start, message));
            }
        }

        for model in added {
            match self.models.iter_mut().find(|known| known.name == model.name) {
                Some(known) => *known = model,
                None => self.models.push(model),
            }
        }
        if let Some(default) = table.default {
            self.default = Some(default.into_inner());
        }
        Ok(())
    }

    /// All models, in order.
    pub fn models(&self) -> &[ModelSpec] {
        &self.models
    }

    /// The model of that exact name.
    ///
    /// # Errors
    /// [`Error::Unknown`], which suggests near names.
    pub fn find(&self, name: &str) -> Result<&ModelSpec, Error> {
        self.models
            .iter()
            .find(|model| model.name == name)
            .ok_or_else(|| Error::Unknown { name: name.to_owned(), suggestion: self.suggestion(name) })
    }

    /// The model to take for a task and a pair of languages when none is named: the registry's default where it offers
    /// them, else the first that does.
    ///
    /// # Errors
    /// [`Error::NoPair`], which lists the pairs on offer.
    pub fn default_for(&self, task: Task, from: &str, to: &str) -> Result<&ModelSpec, Error> {
        let preferred = self.models.iter().filter(|model| self.is_default(model));
        let offers = |model: &&ModelSpec| model.task == task && model.offers(from, to);
        preferred.chain(&self.models).find(offers).ok_or_else(|| Error::NoPair {
            task,
            from: from.to_owned(),
            to: to.to_owned(),
            offered: self.pairs(task).join(", "),
        })
    }

    /// Whether the registry names this model as its default.
    pub fn is_default(&self, model: &ModelSpec) -> bool {
        self.default.as_deref() == Some(model.name.as_str())
    }

    /// Every pair of languages that a model has for a task, as `ar-en`, sorted, each once.
    fn pairs(&self, task: Task) -> Vec<String> {
        let able = self.models.iter().filter(|model| model.task == task);
        let mut pairs: Vec<String> = able.flat_map(ModelSpec::pairs).collect();
        pairs.sort();
        pairs.dedup();
        pairs
    }

    /// `; did you mean …?` with the known names near to `name`, or nothing.
    fn suggestion(&self, name: &str) -> String {
        /// Jaro-Winkler similarity (0 to 1) from which a name is worth suggesting.
        const NEAR: f64 = 0.8;
        let name = name.to_lowercase();
        let mut near: Vec<(f64, &str)> = self
            .models
            .iter()
            .map(|model| (strsim::jaro_winkler(&name, &model.name.to_lowercase()), model.name.as_str()))
            .filter(|(similarity, _)| *similarity >= NEAR)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let names: Vec<&str> = near.into_iter().take(3).map(|(_, name)| name).collect();
        if names.is_empty() { String::new() } else { format!(", did you mean {}?", names.join(" or ")) }
    }
}

/// Line, from 1, in which the byte at `offset` stands.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
