//! `seconds,mbit[,mbit…]`, each line held until the next, with comments and a header.

use wanctl_core::PerDirection;

use super::file::{Column, Flaw, Recording, Timeline, lines, mbps, quoted, traces};

/// Reads a CSV file, of which `column` is the download. The next column is the upload if the
/// header calls it so: its name has the word `up` or begins with `upl`.
pub(super) fn parse(text: &str, column: &Column) -> Result<Recording, Flaw> {
    let mut names: Vec<String> = Vec::new();
    let mut places: Option<(usize, Option<usize>)> = None;
    let mut timeline = Timeline::new();
    for (number, line) in lines(text) {
        let row = line.trim_start_matches('#').trim();
        let fields: Vec<&str> = row.split([',', ';']).map(str::trim).collect();
        let is_heading = line.starts_with('#') || fields[0].parse::<f64>().is_err();
        if is_heading && timeline.points.is_empty() {
            // A comment may be the header: `# columns: seconds,mbit`.
            if fields.len() > 1 || names.is_empty() {
                names = fields.iter().map(|name| (*name).to_owned()).collect();
            }
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (download, upload) = match places {
            Some(places) => places,
            None => *places.insert(choose(number, &names, fields.len(), column)?),
        };
        let rate = |place: usize| {
            let missing =
                || Flaw::at(number, format!("{} of the columns only; expected more", fields.len()));
            fields.get(place).ok_or_else(missing).and_then(|field| mbps(number, field))
        };
        let rates =
            PerDirection { download: Some(rate(download)?), upload: upload.map(rate).transpose()? };
        timeline.push(number, fields[0], rates)?;
    }
    let (download, upload) = traces(&timeline)?;
    Ok(Recording { download, upload, base_rtt_steps: Vec::new() })
}

fn choose(
    line: usize,
    names: &[String],
    columns: usize,
    column: &Column,
) -> Result<(usize, Option<usize>), Flaw> {
    let names = if names.len() == columns { names } else { &[] };
    let place = match column {
        Column::Number(number) => Some(*number).filter(|number| (1..columns).contains(number)),
        Column::Named(wanted) => {
            names.iter().skip(1).position(|name| name == wanted).map(|place| place + 1)
        }
    };
    let Some(place) = place else {
        let known: Vec<String> = if names.is_empty() {
            (1..columns).map(|number| number.to_string()).collect()
        } else {
            names.iter().skip(1).map(|name| quoted(name)).collect()
        };
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let text = format!("no column {column} besides the seconds; there is {known}");
        return Err(Flaw::at(line, text));
    };
    let upload = names.get(place + 1).filter(|name| is_upload(name)).map(|_| place + 1);
    Ok((place, upload))
}

fn is_upload(name: &str) -> bool {
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "up" || word.starts_with("upl"))
}
