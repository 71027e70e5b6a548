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
const OWN: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);
const EARLIER: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);

/// An SVG document with a horizontal bar for each of `bars`, from top to bottom, on one axis from 0.
pub fn draw(title: &str, axis: &str, bars: &[Bar]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut svg = String::new();
    let rows = i32::try_from(bars.len())?;
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
            .build_cartesian_2d(0.0..most * 1.02, (0..rows - 1).into_segmented())?;
        // Rows are counted from below.
        let bar_at = |row: i32| usize::try_from(rows - 1 - row).ok().and_then(|at| bars.get(at));
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(WHITE)
            .x_desc(axis)
            .x_labels(6)
            .x_label_formatter(&|rate| format!("{rate:.0}"))
            .y_labels(bars.len())
            .label_style(("sans-serif", 14))
            .y_label_formatter(&|row| match row {
                SegmentValue::CenterOf(row) => bar_at(*row).map_or_else(String::new, |bar| bar.name.clone()),
                SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
            })
            .draw()?;
        let bars = (0..rows).filter_map(|row| Some((row, bar_at(row)?)));
        chart.draw_series(bars.clone().map(|(row, bar)| {
            let colour = if bar.earlier { EARLIER } else { OWN };
            let corners = [(0.0, SegmentValue::Exact(row)), (bar.rate, SegmentValue::Exact(row + 1))];
            let mut rectangle = Rectangle::new(corners, colour.filled());
            rectangle.set_margin(5, 5, 0, 0);
            rectangle
        }))?;
        let style = ("sans-serif", 14).into_text_style(&root).pos(Pos::new(HPos::Left, VPos::Center));
        chart.draw_series(bars.map(|(row, bar)| {
            EmptyElement::at((bar.rate, SegmentValue::CenterOf(row)))
                + Text::new(format!("{:.0}", bar.rate), (6, 0), style.clone())
        }))?;
        root.present()?;
    }
    Ok(svg)
}
