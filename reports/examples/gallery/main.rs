//! Every chart in every language, as PNG, SVG and CSV, from data that are made up: to look at.
//!
//! `cargo run -p broadgauge-reports --example gallery -- FOLDER [WIDTH]`

mod data;

use broadgauge_model::text::Lang;
use broadgauge_reports::paint::Painter;
use broadgauge_reports::paint::png::PngPainter;
use broadgauge_reports::paint::svg::SvgPainter;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give a folder to write to")?;
    let width = arguments.next().map_or(Ok(860.0), |text| text.parse())?;
    std::fs::create_dir_all(&folder)?;
    let mut faults = Vec::new();
    for lang in Lang::ALL {
        for (name, chart) in data::all(lang) {
            let scene = chart.scene(width, lang);
            faults.extend(scene.faults().into_iter().map(|fault| format!("{name} {}: {fault}", lang.tag())));
            let file = Path::new(&folder).join(format!("{name}-{}", lang.tag()));
            std::fs::write(file.with_extension("png"), PngPainter::default().paint(&scene)?)?;
            std::fs::write(file.with_extension("svg"), SvgPainter.paint(&scene)?)?;
            std::fs::write(file.with_extension("csv"), chart.table(lang).to_csv())?;
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}
