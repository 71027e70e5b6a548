//! The networks and the search against Hugging Face transformers: `fixtures/golden` holds tiny models and what
//! transformers made of them (see `make_golden.py` there).

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use translate::decode::{self, GenerationConfig, GenerationOptions, Network, Row, generate};
use translate::kernels::Arithmetic;
use translate::model::{Execution, Marian, MarianConfig, Seq2Seq, Weights};

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
    network: Marian,
    settings: GenerationConfig,
    golden: Golden,
}

impl Model {
    fn load(folder: &Path, execution: Execution) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let config: MarianConfig = json(&folder.join("config.json"));
        let mut settings: GenerationConfig = json(&folder.join("config.json"));
        let generation = folder.join("generation_config.json");
        if generation.exists() {
            settings = json::<GenerationConfig>(&generation).or(settings);
        }
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "safetensors" || e == "bin"))
            .collect();
        files.sort();
        let weights = Weights::open(&files, &Device::Cpu, DType::F32).unwrap();
        let network = Marian::load(config, &weights, execution, &Device::Cpu, DType::F32, None).unwrap();
        let golden = json(&folder.with_extension("json"));
        Self { name, network, settings, golden }
    }

    fn options(&self, case: &Case) -> GenerationOptions {
        let own: GenerationConfig = serde_json::from_value(case.options.clone()).unwrap();
        own.or(self.settings.clone()).resolve(self.network.config().max_position_embeddings).unwrap()
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every model that has golden logits.
fn models(execution: Execution) -> Vec<Model> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("config.json").exists() && !path.join("vocab.json").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 8);
    folders.iter().map(|folder| Model::load(folder, execution)).collect()
}

fn close(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(1.0)
}

fn check_logits(model: &Model) {
    let Golden { segments, logits, .. } = &model.golden;
    let sources: Vec<&[u32]> = logits.segments.iter().map(|segment| segments[*segment].as_slice()).collect();
    let mut state = model.network.start(&sources).unwrap();
    for (step, token) in logits.prefix.iter().enumerate() {
        let rows: Vec<Row> =
            (0..sources.len() as u32).map(|source| Row { source, parent: source, token: *token }).collect();
        let mut found = decode::Logits::default();
        model.network.step(&mut state, &rows, &mut found).unwrap();
        for (place, row) in found.rows_mut().enumerate() {
            let expected = &logits.values[place][step];
            assert_eq!(row.len(), expected.len());
            for (token, (found, expected)) in row.iter().zip(expected).enumerate() {
                assert!(
                    (found - expected).abs() <= 1e-4,
                    "{}: source {place}, step {step}, token {token}: {found}, not {expected}",
                    model.name
                );
            }
        }
    }
}

#[test]
fn logits_equal_those_of_transformers() {
    for execution in [KERNELS, Execution::Candle] {
        models(execution).iter().for_each(check_logits);
    }
}

#[test]
fn hypotheses_equal_those_of_transformers() {
    let mut checked = 0;
    for model in models(KERNELS) {
        for case in &model.golden.cases {
            let sources: Vec<&[u32]> = model.golden.segments.iter().map(Vec::as_slice).collect();
            let found = generate(&model.network, &sources, &model.options(case)).unwrap();
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
    for model in models(KERNELS) {
        let options = model.settings.clone().resolve(64).unwrap();
        let segments: Vec<&[u32]> = model.golden.segments.iter().map(Vec::as_slice).cycle().take(32).collect();
        let alone: Vec<_> =
            segments.iter().map(|ids| generate(&model.network, &[ids], &options).unwrap().remove(0)).collect();
        for size in [2, 7, 32] {
            let found: Vec<_> =
                segments.chunks(size).flat_map(|batch| generate(&model.network, batch, &options).unwrap()).collect();
            assert_eq!(found, alone, "{}: batches of {size}", model.name);
        }
        let backwards: Vec<&[u32]> = segments.iter().rev().copied().collect();
        let mut found = generate(&model.network, &backwards, &options).unwrap();
        found.reverse();
        assert_eq!(found, alone, "{}: reversed", model.name);
    }
}

/// `shared.legacy.bin` holds the weights of `shared` in the format of PyTorch before 1.6.
#[test]
fn pickles_of_old_pytorch_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/shared");
    let open = |path: PathBuf| Weights::open(&[path], &Device::Cpu, DType::F32);
    let (new, old) =
        (open(folder.join("pytorch_model.bin")).unwrap(), open(folder.with_extension("legacy.bin")).unwrap());
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
        let error = open(cut.path().to_owned()).err().unwrap().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
}

/// A network that can write some tokens only gives what the whole network gives where the others are banned.
#[test]
fn a_reduced_vocabulary_is_a_ban_on_the_rest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/shared");
    let whole = Model::load(&folder, KERNELS);
    let kept: Vec<u32> = (0..64).filter(|id| id % 3 != 1 || *id == 63).collect();
    let weights = Weights::open(&[folder.join("pytorch_model.bin")], &Device::Cpu, DType::F32).unwrap();
    let config = json(&folder.join("config.json"));
    let reduced = Marian::load(config, &weights, KERNELS, &Device::Cpu, DType::F32, Some(kept.clone())).unwrap();
    let sources: Vec<&[u32]> = whole.golden.segments.iter().map(Vec::as_slice).collect();

    let own = GenerationConfig { no_repeat_ngram_size: Some(2), ..GenerationConfig::default() };
    let options = own.or(whole.settings.clone()).resolve(64).unwrap();
    let mut banned = options.clone();
    // Banned and normalised again, as the settings of this model say, is never having been there.
    assert!(options.renormalize);
    banned.bad_words.extend((0..64).filter(|id| !kept.contains(id)).map(|id| vec![id]));
    let expected = whole.network.generate(&sources, &banned).unwrap();
    let found = reduced.generate(&sources, &options).unwrap();
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert_eq!(found.ids, expected.ids);
        assert!(close(found.score, expected.score));
    }
}
