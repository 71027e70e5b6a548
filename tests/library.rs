//! The library as a Rust program uses it.

use std::path::Path;

use translate::decode::GenerationConfig;
use translate::translator::{Flag, Translator};

fn translator() -> Translator {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    Translator::builder().model(model.to_str().unwrap()).threads(2).build().unwrap()
}

const SENTENCE: &str = "أعلنت الوزارة اليوم افتتاح المستشفى الجديد.";

#[test]
fn a_translator_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let translator = translator();
    shared(&translator);
    let expected = translator.translate_batch(&[SENTENCE]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(translator.translate_batch(&[SENTENCE]).unwrap(), expected));
        }
    });
}

#[test]
fn a_document_keeps_its_shape() {
    let translator = translator();
    let sentence = translator.translate_batch(&[SENTENCE]).unwrap().remove(0).text;
    let document = format!("\n  {SENTENCE}\r\n\n{SENTENCE} {SENTENCE}\t");
    assert_eq!(translator.translate(&document).unwrap(), format!("\n  {sentence}\r\n\n{sentence} {sentence}\t"));
    assert_eq!(translator.translate("").unwrap(), "");
}

#[test]
fn any_number_of_segments_stream_in_order() {
    let translator = translator();
    let segments = (0..3000).map(|number| if number % 3 == 0 { SENTENCE.to_owned() } else { format!("{number}") });
    // Reading goes a window ahead and no further.
    let mut read = 0;
    let mut stream = translator.translate_iter(segments.clone().inspect(|_| read += 1));
    assert_eq!(stream.next().unwrap().unwrap().source, SENTENCE);
    drop(stream);
    assert!(read < 3000, "{read}");

    let found: Vec<String> = translator.translate_iter(segments.clone()).map(|result| result.unwrap().source).collect();
    assert!(segments.eq(found));
}

#[test]
fn settings_overrule_the_models_own() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    let builder = Translator::builder().model(model.to_str().unwrap());
    assert_eq!(builder.clone().build().unwrap().options().num_beams, 4);
    let greedy = GenerationConfig { num_beams: Some(1), max_new_tokens: Some(5), ..GenerationConfig::default() };
    let translator = builder.exact(true).generation(greedy).build().unwrap();
    assert_eq!((translator.options().num_beams, translator.options().max_length), (1, 6));
    let translation = translator.translate_batch(&[SENTENCE]).unwrap().remove(0);
    assert!(translation.target_ids.len() <= 5);
}

#[test]
fn degenerate_translations_are_mended_and_flagged() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden/press");
    let builder = Translator::builder().model(model.to_str().unwrap());
    let long = "وأقر مجلس الإدارة توزيع أرباح مرحلية قدرها 0.55 ريال للسهم الواحد، تدفع في 1 ديسمبر.";
    // A random model repeats itself; what it says of itself is degenerate, what is made of it is not the same.
    let own = builder.clone().exact(true).build().unwrap().translate_batch(&[long]).unwrap().remove(0);
    let mended = builder.build().unwrap().translate_batch(&[long]).unwrap().remove(0);
    assert!(own.flags.is_empty());
    assert!(mended.flags.contains(&Flag::Mended) && mended.text != own.text, "{own:?} {mended:?}");
}
