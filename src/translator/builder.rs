//! Building a translator: which model, where it runs, what it is told.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::core::{Care, Core};
use super::stream::Plan;
use super::{Device, Fallback, TranslateError, Translator};
use crate::decode::GenerationConfig;
use crate::hub::{self, HubOptions, ModelFolder, NoProgress, Progress};
use crate::model::{self, Precision};
use crate::registry::{Family, ModelRef, ModelSpec, Registry, STARTER, Task};
use crate::text::Normalization;
use crate::tokenizer;

/// Most tokens of a segment before it is split: what OPUS-MT models saw in training is shorter by far, and they drop
/// clauses of what is longer.
const LONGEST_SEGMENT: usize = 200;

/// Source tokens in a batch for each beam: about 100 segments' rows, from which on matrix products run at full speed.
const BATCH_TOKENS: usize = 2048;

/// How long the default model is waited for where the built-in one can do: who asks for a translation gets it within five
/// seconds on a dead network.
const FIRST_ANSWER: Duration = Duration::from_secs(4);

/// Settings of a [`Translator`], each with a sensible default.
#[derive(Debug, Clone)]
pub struct TranslatorBuilder {
    model: Option<String>,
    task: Task,
    from: String,
    to: String,
    prefix: Option<String>,
    registry: Option<Registry>,
    hub: Option<HubOptions>,
    device: Device,
    precision: Precision,
    threads: Option<usize>,
    batch_tokens: Option<usize>,
    generation: GenerationConfig,
    normalization: Normalization,
    exact: bool,
    whole_vocabulary: Option<bool>,
    every_hypothesis: bool,
    fall_back: bool,
}

impl Default for TranslatorBuilder {
    fn default() -> Self {
        Self {
            model: None,
            task: Task::Translate,
            from: "ar".into(),
            to: "en".into(),
            prefix: None,
            registry: None,
            hub: None,
            device: Device::Auto,
            precision: Precision::Auto,
            threads: None,
            batch_tokens: None,
            generation: GenerationConfig::default(),
            normalization: Normalization::default(),
            exact: false,
            whole_vocabulary: None,
            every_hypothesis: false,
            fall_back: false,
        }
    }
}

impl TranslatorBuilder {
    /// A name in the registry, `starter` (the built-in model) among them, `org/repo[@revision]` on the hub, or a local
    /// folder in the hub's layout; by default the registry's default for the languages.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// What the model is to do with a text; by default to translate it. To shorten texts, set [`Self::exact`] too.
    pub fn task(mut self, task: Task) -> Self {
        self.task = task;
        self
    }

    /// What stands before every text that the model reads, such as `summarize: `; by default what the registry has for the
    /// model, or what names the target's language to it.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Languages to translate from and to, as ISO 639 codes or by the model's own names, such as `arz_Arab`; by default
    /// `ar` and `en`.
    pub fn languages(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.from = from.into();
        self.to = to.into();
        self
    }

    /// The models that names stand for; by default the built-in ones.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// How to reach the hub, and where its cache is; by default the public hub and the cache that Python programs use
    /// too, `.cache/huggingface/hub` in the user's home.
    pub fn hub(mut self, hub: HubOptions) -> Self {
        self.hub = Some(hub);
        self
    }

    /// Where the model runs.
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Number format of weights and arithmetic.
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Threads to use on a CPU, 1 or more; by default as many as there are cores.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Most source tokens in a batch, padding counted; by default what keeps the device busy.
    pub fn batch_tokens(mut self, tokens: usize) -> Self {
        self.batch_tokens = Some(tokens.max(1));
        self
    }

    /// Generation settings that overrule the model's own.
    pub fn generation(mut self, generation: GenerationConfig) -> Self {
        self.generation = generation;
        self
    }

    /// The cleaning of a segment before the model reads it.
    pub fn normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
    }

    /// Exactly what the model makes of every segment: nothing is cleaned or passed through, no defective translation
    /// decoded again, and (unless [`Self::whole_vocabulary`] says otherwise) no token left out.
    pub fn exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// Whether the model may write every token of its vocabulary, even those that no text of the target language can
    /// have: half of what a shared vocabulary holds. By default only where the output is to be exact.
    pub fn whole_vocabulary(mut self, whole: bool) -> Self {
        self.whole_vocabulary = Some(whole);
        self
    }

    /// Gives as many hypotheses as the beam is wide, whatever the generation settings say.
    pub fn every_hypothesis(mut self, every: bool) -> Self {
        self.every_hypothesis = every;
        self
    }

    /// Whether, if no model is named and the default one is not in the cache and can't be fetched, the built-in one takes
    /// its place; a hub that does not begin to answer within four seconds is then not waited for.
    /// [`Translator::fallback`] tells what happened. Not by default.
    pub fn fall_back(mut self, allowed: bool) -> Self {
        self.fall_back = allowed;
        self
    }

    /// Finds the model, fetching it if need be, and loads it.
    pub fn build(self) -> Result<Translator, TranslateError> {
        self.build_with(&mut NoProgress)
    }

    /// [`Self::build`], with a witness of downloads.
    pub fn build_with(mut self, progress: &mut dyn Progress) -> Result<Translator, TranslateError> {
        let builtin;
        let registry = match &self.registry {
            Some(registry) => registry,
            None => {
                builtin = Registry::builtin()?;
                &builtin
            }
        };
        let hub = match &self.hub {
            Some(hub) => hub.clone(),
            None => HubOptions::new(home_cache()?),
        };
        let Some(name) = &self.model else {
            let wanted = registry.default_for(self.task, &self.from, &self.to)?.clone();
            let found = self.fetch_default(wanted, registry, hub, progress)?;
            self.prefix = self.prefix.or_else(|| found.prefix.clone());
            return self.load(found);
        };
        let model = ModelRef::parse(name, registry)?;
        let overrides = match &model {
            ModelRef::Registry(spec) => {
                if spec.task != self.task {
                    return Err(TranslateError::WrongTask {
                        model: spec.name.clone(),
                        task: spec.task,
                        asked: self.task,
                    });
                }
                if !spec.offers(&self.from, &self.to) && !spec.family.names_languages() {
                    return Err(TranslateError::WrongPair {
                        model: spec.name.clone(),
                        from: self.from,
                        to: self.to,
                        offered: spec.pairs().collect::<Vec<_>>().join(", "),
                    });
                }
                self.prefix = self.prefix.or_else(|| spec.prefix.clone());
                GenerationConfig::from(&spec.generation)
            }
            ModelRef::Repo { .. } | ModelRef::Folder(_) => GenerationConfig::default(),
        };
        let folder = hub::fetch(&model, &hub, progress)?;
        self.load(Found { folder, overrides, prefix: None, fallback: None })
    }

    /// The files of the default model or, if that is allowed and they can't be had, of the built-in one.
    fn fetch_default(
        &self,
        wanted: ModelSpec,
        registry: &Registry,
        hub: HubOptions,
        progress: &mut dyn Progress,
    ) -> Result<Found, TranslateError> {
        let starter = registry.find(STARTER).ok().filter(|starter| {
            let fits = starter.task == self.task && starter.offers(&self.from, &self.to) && **starter != wanted;
            self.fall_back && hub::starter::IS_BUILT_IN && fits
        });
        let hub = HubOptions { first_answer: starter.map(|_| FIRST_ANSWER).or(hub.first_answer), ..hub };
        match (Found::fetch(&wanted, &hub, progress), starter) {
            (Err(error), Some(starter)) => {
                Ok(Found { fallback: Some(Fallback { wanted, error }), ..Found::fetch(starter, &hub, progress)? })
            }
            (found, _) => Ok(found?),
        }
    }

    /// Loads a model whose files are at hand.
    fn load(self, found: Found) -> Result<Translator, TranslateError> {
        let Found { folder, overrides, fallback, .. } = found;
        let device = self.device.open()?;
        let config = model::config(&folder)?;
        let rows = config.vocab_size();
        let task = tokenizer::Task { from: &self.from, to: &self.to, prefix: self.prefix.as_deref() };
        let tokenizer = tokenizer::load(&folder, task, rows)?;
        let pieces = tokenizer.vocab_size();
        // Many networks have a few rows to spare, for the sake of the hardware that trained them; Marian has none.
        if pieces > rows || pieces < rows && folder.family == Family::Marian {
            return Err(TranslateError::Vocabulary { pieces, rows });
        }
        let own = model::generation_config(&folder)?;
        let language =
            GenerationConfig { forced_bos_token_id: tokenizer.first_target(), ..GenerationConfig::default() };
        let mut options = self.generation.or(language).or(overrides).or(own).resolve(config.max_positions())?;
        if self.every_hypothesis {
            options.num_return_sequences = options.num_beams;
        }
        let pieces = if self.whole_vocabulary.unwrap_or(self.exact) { None } else { tokenizer.target_pieces() };
        let outputs = pieces.map(|mut outputs| {
            outputs.extend(options.named_tokens());
            outputs.sort_unstable();
            outputs.dedup();
            outputs
        });
        let network = model::load(&folder, &device, self.precision, outputs)?;
        let care = if self.exact {
            Care::Exact
        } else {
            Care::Full { normalization: self.normalization, longest: LONGEST_SEGMENT }
        };
        let threads = if device.is_cpu() { self.threads.unwrap_or_else(cores) } else { 1 };
        let batch_tokens = self.batch_tokens.unwrap_or(BATCH_TOKENS / options.num_beams);
        Ok(Translator {
            core: Arc::new(Core {
                model: network,
                tokenizer,
                options,
                care,
                provenance: folder.provenance,
                fallback,
                checks_figures: !self.exact && is_arabic(&self.from) && is_english(&self.to),
                repeatable: OnceLock::new(),
            }),
            plan: Plan { threads, batch_tokens: batch_tokens.max(1) },
        })
    }
}

/// A model whose files are at hand.
struct Found {
    folder: ModelFolder,
    /// Settings that stand between the model's own and the builder's.
    overrides: GenerationConfig,
    /// What the registry wants before every text.
    prefix: Option<String>,
    fallback: Option<Fallback>,
}

impl Found {
    fn fetch(spec: &ModelSpec, hub: &HubOptions, progress: &mut dyn Progress) -> Result<Self, hub::Error> {
        let overrides = GenerationConfig::from(&spec.generation);
        let folder = hub::fetch(&ModelRef::Registry(Box::new(spec.clone())), hub, progress)?;
        Ok(Self { folder, overrides, prefix: spec.prefix.clone(), fallback: None })
    }
}

/// Whether a code, of ISO 639 or a model's own, is of Arabic or a dialect of it.
fn is_arabic(code: &str) -> bool {
    let language = code.split('_').next().unwrap_or_default();
    matches!(language, "ar" | "arb" | "ars" | "ary" | "arz" | "acm" | "acq" | "aeb" | "ajp" | "apc")
}

fn is_english(code: &str) -> bool {
    matches!(code.split('_').next(), Some("en" | "eng"))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Where Python programs keep models unless they are told otherwise.
fn home_cache() -> Result<PathBuf, TranslateError> {
    let home = std::env::home_dir().ok_or(TranslateError::NoHome)?;
    Ok(home.join(".cache").join("huggingface").join("hub"))
}
