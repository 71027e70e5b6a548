//! Translates standard input line by line in bounded memory, printing each score beside its translation:
//! `cargo run --release --example stream -- MODEL < lines.txt`.

use std::io::{self, BufRead};

use translate::translator::Translator;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Translator::builder();
    if let Some(model) = std::env::args().nth(1) {
        builder = builder.model(model);
    }
    let translator = builder.build()?;
    let lines = io::stdin().lock().lines().map_while(Result::ok);
    for translation in translator.translate_iter(lines) {
        let translation = translation?;
        println!("{:.3}\t{}", translation.score.unwrap_or(0.0), translation.text);
    }
    Ok(())
}
