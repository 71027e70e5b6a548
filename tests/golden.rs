//! The networks and the search against Hugging Face transformers: `fixtures/golden` holds tiny models of every family
//! and what transformers made of them (see `make_golden.py` there).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::t5;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use translate::decode::{self, GenerationConfig, GenerationOptions, Network, Row};
use translate::hub::ModelFile;
use translate::kernels::Arithmetic;
use translate::model::{Bart, Execution, ModelConfig, ModelError, Seq2Seq, T5, Weights, build};

const KERNELS: Execution = Execution::Kernels(Arithmetic::F32);

#[derive(Deserialize)]
struct Golden {
    segments: Vec<Vec<u32>>,
    cases: Vec<Case>,
    logits: Logits,
}

#[derive(Deserialize)]
struct Case {
    options: serde_json::Value,
    results: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    segment: usize,
    hypotheses: Vec<Hypothesis>,
}

#[derive(Deserialize)]
struct Hypothesis {
    ids: Vec<u32>,
    score: Option<f32>,
    logprobs: Vec<f32>,
}

#[derive(Deserialize)]
struct Logits {
    segments: Vec<usize>,
    prefix: Vec<u32>,
    values: Vec<Vec<Vec<f32>>>,
}

struct Model {
    name: String,
    folder: PathBuf,
    config: ModelConfig,
    settings: GenerationConfig,
    golden: Golden,
}

impl Model {
    fn new(folder: PathBuf) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let config = ModelConfig::from_json(&fs::read_to_string(folder.join("config.json")).unwrap()).unwrap();
        let mut settings: GenerationConfig = json(&folder.join("config.json"));
        let generation = folder.join("generation_config.json");
        if generation.exists() {
            settings = json::<GenerationConfig>(&generation).or(settings);
        }
        let golden = json(&folder.with_extension("json"));
        Self { name, folder, config, settings, golden }
    }

    /// Whether f32, f16 and bf16 hold the weights alike, as those of all families but Marian.
    fn is_exact(&self) -> bool {
        let config: serde_json::Value = json(&self.folder.join("config.json"));
        config["model_type"] != "marian"
    }

    /// The files of the folder that hold weights.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "safetensors" || e == "bin"))
            .collect();
        files.sort();
        files
    }

    fn weights(&self) -> Weights {
        open(&self.files())
    }

    fn network(&self) -> Box<dyn Seq2Seq> {
        self.reduced(None)
    }

    /// The network that can write the tokens `outputs` alone.
    fn reduced(&self, outputs: Option<Vec<u32>>) -> Box<dyn Seq2Seq> {
        build(self.config.clone(), &self.weights(), KERNELS, &Device::Cpu, DType::F32, outputs).unwrap()
    }

    fn options(&self, case: &Case) -> GenerationOptions {
        let own: GenerationConfig = serde_json::from_value(case.options.clone()).unwrap();
        own.or(self.settings.clone()).resolve(self.config.max_positions()).unwrap()
    }

    fn sources(&self) -> Vec<&[u32]> {
        self.golden.segments.iter().map(Vec::as_slice).collect()
    }
}

fn open(files: &[PathBuf]) -> Weights {
    let files: Vec<ModelFile> = files.iter().map(ModelFile::from).collect();
    Weights::open(&files, &Device::Cpu, DType::F32).unwrap()
}

fn json<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every model that has golden logits.
fn models() -> Vec<Model> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("config.json").exists() && !path.join("vocab.json").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 18);
    folders.into_iter().map(Model::new).collect()
}

fn close(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(1.0)
}

fn check_logits(model: &Model, weights: &Weights, execution: Execution) {
    let found = logits(model, weights, execution);
    for (place, (found, expected)) in found.iter().zip(&model.golden.logits.values).enumerate() {
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert_eq!(found.len(), expected.len());
            for (token, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert!(
                    (found - expected).abs() <= 1e-4,
                    "{}: source {place}, step {step}, token {token}: {found}, not {expected}",
                    model.name
                );
            }
        }
    }
}

/// What the network gives where the references say what it should: `[source][step][token]`.
fn logits(model: &Model, weights: &Weights, execution: Execution) -> Vec<Vec<Vec<f32>>> {
    let (device, dtype) = (&Device::Cpu, DType::F32);
    match model.config.clone() {
        ModelConfig::Bart(config) => {
            forced(model, &Bart::load(config, weights, execution, device, dtype, None).unwrap())
        }
        ModelConfig::T5(config) => forced(model, &T5::load(config, weights, execution, device, dtype, None).unwrap()),
    }
}

fn forced<N: Network<Error = ModelError>>(model: &Model, network: &N) -> Vec<Vec<Vec<f32>>> {
    let Golden { segments, logits, .. } = &model.golden;
    let sources: Vec<&[u32]> = logits.segments.iter().map(|segment| segments[*segment].as_slice()).collect();
    let mut state = network.start(&sources).unwrap();
    let mut found = vec![Vec::new(); sources.len()];
    for token in &logits.prefix {
        let rows: Vec<Row> =
            (0..sources.len() as u32).map(|source| Row { source, parent: source, token: *token }).collect();
        let mut step = decode::Logits::default();
        network.step(&mut state, &rows, &mut step).unwrap();
        found.iter_mut().zip(step.rows_mut()).for_each(|(found, row)| found.push(row.to_vec()));
    }
    assert!(found.iter().all(|steps| steps.len() == logits.prefix.len()));
    found
}

#[test]
fn logits_equal_those_of_transformers() {
    for model in models() {
        for execution in [KERNELS, Execution::Candle] {
            check_logits(&model, &model.weights(), execution);
        }
    }
}

/// How far integers lead away depends on the network; those of published widths are much nearer.
#[test]
fn logits_in_integers_are_near() {
    for model in models() {
        let found = logits(&model, &model.weights(), Execution::Kernels(Arithmetic::Int8));
        let flat = |logits: &[Vec<Vec<f32>>]| logits.concat().concat();
        let (found, expected) = (flat(&found), flat(&model.golden.logits.values));
        let error: f32 = found.iter().zip(&expected).map(|(a, b)| (a - b).powi(2)).sum();
        let signal: f32 = expected.iter().map(|value| value.powi(2)).sum();
        assert!(error < 0.01 * signal, "{}: {}", model.name, (error / signal).sqrt());
    }
}

/// The tensors of a checkpoint by name.
fn tensors(files: &[PathBuf]) -> HashMap<String, Tensor> {
    let read = |file: &PathBuf| -> Vec<(String, Tensor)> {
        match file.extension().unwrap().to_str().unwrap() {
            "bin" => candle_core::pickle::read_all(file).unwrap(),
            _ => candle_core::safetensors::load(file, &Device::Cpu).unwrap().into_iter().collect(),
        }
    };
    files.iter().flat_map(read).collect()
}

#[test]
fn every_form_of_weights_gives_the_same_logits() {
    let mut checked = 0;
    for model in models().iter().filter(|model| model.is_exact()) {
        let mut check = |files: &[PathBuf]| {
            check_logits(model, &open(files), KERNELS);
            checked += 1;
        };
        let files = model.files();
        check(&files);
        let pickle = model.folder.with_extension("bin");
        if pickle.exists() {
            check(&[pickle]);
        }
        let tensors = tensors(&files);
        let folder = tempfile::tempdir().unwrap();
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            let converted: HashMap<String, Tensor> =
                tensors.iter().map(|(name, tensor)| (name.clone(), tensor.to_dtype(dtype).unwrap())).collect();
            let whole = folder.path().join(format!("{dtype:?}.safetensors"));
            candle_core::safetensors::save(&converted, &whole).unwrap();
            check(&[whole]);
            let (first, second): (HashMap<_, _>, HashMap<_, _>) =
                converted.into_iter().partition(|(name, _)| name.len() % 2 == 0);
            let shards = [(first, 1), (second, 2)].map(|(part, number)| {
                let path = folder.path().join(format!("{dtype:?}-{number}.safetensors"));
                candle_core::safetensors::save(&part, &path).unwrap();
                path
            });
            check(&shards);
        }
    }
    assert!(checked >= 72, "{checked}");
}

/// candle-transformers' T5 knows no padding, and takes the decoder's distances for an encoder's, which have the same
/// classes up to a quarter of the number of classes. Where embeddings are tied, it multiplies by the root of the width
/// rather than to divide by it.
#[test]
fn logits_of_t5_equal_those_of_candle() {
    let mut checked = 0;
    for model in models() {
        let ModelConfig::T5(shape) = &model.config else { continue };
        let config: t5::Config = json(&model.folder.join("config.json"));
        let tensors = tensors(&model.files());
        let network = T5::load(shape.clone(), &model.weights(), KERNELS, &Device::Cpu, DType::F32, None).unwrap();
        let too_large = if config.tie_word_embeddings { config.d_model as f32 } else { 1.0 };
        let mut witness =
            t5::T5ForConditionalGeneration::load(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu), &config)
                .unwrap();
        let steps = (config.relative_attention_num_buckets / 4).min(model.golden.logits.prefix.len());
        for source in model.sources() {
            witness.clear_kv_cache();
            let encoded = witness.encode(&Tensor::new(source, &Device::Cpu).unwrap().unsqueeze(0).unwrap()).unwrap();
            let mut state = network.start(&[source]).unwrap();
            for token in model.golden.logits.prefix.iter().take(steps) {
                let mut found = decode::Logits::default();
                network.step(&mut state, &[Row { source: 0, parent: 0, token: *token }], &mut found).unwrap();
                let expected = witness.decode(&Tensor::new(&[[*token]], &Device::Cpu).unwrap(), &encoded).unwrap();
                let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
                for (found, expected) in found.rows_mut().next().unwrap().iter().zip(expected) {
                    assert!((found - expected / too_large).abs() <= 1e-4, "{}: {found}", model.name);
                }
                checked += 1;
            }
        }
    }
    assert!(checked >= 100, "{checked}");
}

#[test]
fn hypotheses_equal_those_of_transformers() {
    let mut checked = 0;
    for model in models() {
        let network = model.network();
        for case in &model.golden.cases {
            let found = network.generate(&model.sources(), &model.options(case)).unwrap();
            for expected in &case.results {
                let context = format!("{}, {}, segment {}", model.name, case.options, expected.segment);
                let found = &found[expected.segment];
                assert_eq!(found.len(), expected.hypotheses.len(), "{context}");
                for (found, expected) in found.iter().zip(&expected.hypotheses) {
                    assert_eq!(found.ids, expected.ids, "{context}");
                    if let Some(score) = expected.score {
                        assert!(close(found.score, score), "{context}: {} and {score}", found.score);
                    }
                    let logprobs = found.token_logprobs.iter().zip(&expected.logprobs);
                    assert!(
                        logprobs.clone().all(|(a, b)| close(*a, *b)),
                        "{context}: {:?}",
                        logprobs.collect::<Vec<_>>()
                    );
                }
                checked += 1;
            }
        }
    }
    assert!(checked >= 200, "{checked}");
}

#[test]
fn neither_batch_nor_order_changes_a_hypothesis() {
    for model in models() {
        let network = model.network();
        let options = model.settings.clone().resolve(64).unwrap();
        let segments: Vec<&[u32]> = model.sources().into_iter().cycle().take(32).collect();
        let alone: Vec<_> = segments.iter().map(|ids| network.generate(&[ids], &options).unwrap().remove(0)).collect();
        for size in [2, 7, 32] {
            let found: Vec<_> =
                segments.chunks(size).flat_map(|batch| network.generate(batch, &options).unwrap()).collect();
            assert_eq!(found, alone, "{}: batches of {size}", model.name);
        }
        let backwards: Vec<&[u32]> = segments.iter().rev().copied().collect();
        let mut found = network.generate(&backwards, &options).unwrap();
        found.reverse();
        assert_eq!(found, alone, "{}: reversed", model.name);
    }
}

/// `shared.legacy.bin` holds the weights of `shared` in the format of PyTorch before 1.6.
#[test]
fn pickles_of_old_pytorch_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/shared");
    let (new, old) = (open(&[folder.join("pytorch_model.bin")]), open(&[folder.with_extension("legacy.bin")]));
    for (name, shape) in [
        ("final_logits_bias", &[1, 64][..]),
        ("model.shared.weight", &[64, 16]),
        ("model.decoder.layers.1.fc2.weight", &[16, 32]),
        ("lm_head.weight", &[64, 16]),
    ] {
        let values = |weights: &Weights| -> Vec<f32> {
            weights.get(name, shape).unwrap().flatten_all().unwrap().to_vec1().unwrap()
        };
        assert_eq!(values(&old), values(&new), "{name}");
    }

    let whole = fs::read(folder.with_extension("legacy.bin")).unwrap();
    let cut = tempfile::Builder::new().suffix(".bin").tempfile().unwrap();
    for length in [21, 200, whole.len() / 2, whole.len() - 1] {
        fs::write(cut.path(), &whole[..length]).unwrap();
        let error = Weights::open(&[cut.path().into()], &Device::Cpu, DType::F32).err().unwrap().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
}

/// A network that can write some tokens only gives what the whole network gives where the others are banned.
#[test]
fn a_reduced_vocabulary_is_a_ban_on_the_rest() {
    for (model, end) in models().into_iter().filter_map(|model| match model.name.as_str() {
        "shared" => Some((model, 63)),
        "t5" => Some((model, 1)),
        "m2m100" => Some((model, 2)),
        _ => None,
    }) {
        let size = model.config.vocab_size() as u32;
        let kept: Vec<u32> = (0..size).filter(|id| id % 3 != 1 || *id == end).collect();
        let sources = model.sources();
        let own = GenerationConfig {
            no_repeat_ngram_size: Some(2),
            renormalize_logits: Some(true),
            ..GenerationConfig::default()
        };
        let options = own.or(model.settings.clone()).resolve(64).unwrap();
        // Banned and normalised again is never having been there.
        let mut banned = options.clone();
        banned.bad_words.extend((0..size).filter(|id| !kept.contains(id)).map(|id| vec![id]));
        let expected = model.network().generate(&sources, &banned).unwrap();
        let found = model.reduced(Some(kept)).generate(&sources, &options).unwrap();
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert_eq!(found.ids, expected.ids, "{}", model.name);
            assert!(close(found.score, expected.score), "{}", model.name);
        }
    }
}
