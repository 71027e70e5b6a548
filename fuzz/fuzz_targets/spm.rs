//! Any bytes may be handed in as a `.spm` file: no panic and no endless loop, and what is accepted cuts every text into
//! ids that the vocabulary has.
//!
//! Seeds: the `.spm` files in tests/fixtures/tokenizer, copied to fuzz/corpus/spm.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use translate::hub::ModelFile;
use translate::tokenizer::{MarianTokenizer, Tokenizer, TokenizerError};

const TEXTS: [&str; 4] = ["", "  قال abc ab-ـعاجل\u{0} قَ ﷺ", ">>eng<< the <unk>😀😀</s> 12,000", "▁▁ \u{FFFD}é e\u{301}"];

/// Where the bytes are put; each process has its own.
static FILE: LazyLock<ModelFile> =
    LazyLock::new(|| std::env::temp_dir().join(format!("translate-fuzz-{}.spm", std::process::id())).into());

fuzz_target!(|bytes: &[u8]| {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tokenizer/odd");
    let vocabulary = fixtures.join("vocab.json").into();
    std::fs::write(FILE.path(), bytes).expect("the temporary folder can be written");
    match MarianTokenizer::from_files(&FILE, &FILE, &vocabulary, None, None) {
        Ok(tokenizer) => {
            let text = String::from_utf8_lossy(bytes);
            for text in TEXTS.into_iter().chain([text.as_ref()]) {
                let ids = tokenizer.encode(text).expect("any text is welcome");
                assert_eq!(ids.last(), Some(&tokenizer.eos_id()));
                assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()));
                tokenizer.decode(&ids);
            }
        }
        Err(TokenizerError::SentencePiece { path, .. }) => assert_eq!(path, FILE.path()),
        Err(other) => panic!("{other}"),
    }
});
