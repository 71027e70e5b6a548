//! Bar charts of rates, as SVG.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A bar of a chart.
pub struct Bar {
    /// What was measured.
    pub name: String,
    /// Its rate.
    pub rate: f64,
    /// Whether it is there to be compared with.
    pub earlier: bool,
}

const WIDTH: u32 = 960;
const NAMES: u32 = 360;
const ROW: u32 = 36;
const HEAD: u32 = 56;
const FOOT: u32 = 48;
const FONT: (&str, u32) = ("sans-serif", 14);
const OWN: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);
const EARLIER: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);

/// An SVG document with a horizontal bar for each of `bars`, from top to bottom, on one axis from 0.
pub fn draw(title: &str, axis: &str, bars: &[Bar]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut svg = String::new();
    let most = bars.iter().fold(f64::MIN_POSITIVE, |most, bar| most.max(bar.rate));
    {
        let root =
            SVGBackend::with_string(&mut svg, (WIDTH, HEAD + FOOT + ROW * bars.len() as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 20))
            .margin(8)
            .margin_right(80)
            .x_label_area_size(FOOT - 8)
            .y_label_area_size(NAMES)
            // Rows are counted from above.
            .build_cartesian_2d(0.0..most, bars.len() as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(WHITE)
            .x_desc(axis)
            .x_labels(6)
            .x_label_formatter(&|rate| format!("{rate:.0}"))
            .y_labels(0)
            .label_style(FONT)
            .draw()?;
        for (row, bar) in bars.iter().enumerate() {
            let (top, middle, bottom) = (row as f64 + 0.15, row as f64 + 0.5, row as f64 + 0.85);
            let colour = if bar.earlier { EARLIER } else { OWN };
            let text = |side, x, words: String, rate| {
                let style = FONT.into_text_style(&root).pos(Pos::new(side, VPos::Center));
                EmptyElement::at((rate, middle)) + Text::new(words, (x, 0), style)
            };
            chart.draw_series([Rectangle::new([(0.0, top), (bar.rate, bottom)], colour.filled())])?;
            chart.draw_series([text(HPos::Right, -8, bar.name.clone(), 0.0)])?;
            chart.draw_series([text(HPos::Left, 6, format!("{:.0}", bar.rate), bar.rate)])?;
        }
        root.present()?;
    }
    Ok(svg)
}
