//! Translates sentences from Rust: `cargo run --release --example library -- MODEL`.
//!
//! MODEL is a registry name, a repository on the hub or a local folder; without it the default model is fetched.

use translate::translator::Translator;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Translator::builder();
    if let Some(model) = std::env::args().nth(1) {
        builder = builder.model(model);
    }
    let translator = builder.build()?;
    for translation in
        translator.translate_batch(&["أعلنت الوزارة اليوم افتتاح المستشفى الجديد.", "press@example.org"])?
    {
        println!("{} → {} {:?}", translation.source, translation.text, translation.flags);
    }
    Ok(())
}
