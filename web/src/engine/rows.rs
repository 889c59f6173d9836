//! Rows to train on or to classify: read, and looked over. No model is needed for it.

use super::{
    files::{self, Attached},
    problem::Problem,
};
use crate::messages::{Example, Finding, Response, Reviewed};
use emberlab_core::data::{self, BadRows, Columns, Format, LabelMap, NamedColumns, Split, Table};

pub async fn read_file(name: &str, attached: Attached) -> Result<Response, Problem> {
    let (_, data) = attached.first().ok_or("There is no file beside the request.")?;
    let bytes = files::read(name, data).await?;
    Ok(rows(examples(name, &bytes)?))
}

fn examples(name: &str, bytes: &[u8]) -> emberlab_core::Result<Vec<data::Example>> {
    let table = Table::parse(name, bytes, &format(name, bytes)?, &mut BadRows::Refuse)?;
    table.examples(&Columns::guess(&table, NamedColumns::default())?)
}

/// Spreadsheets write CSV with semicolons where numbers have decimal commas.
fn format(name: &str, bytes: &[u8]) -> emberlab_core::Result<Format> {
    let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let format = Format::from_name(name)?;
    let by_semicolon = format == Format::CSV && header.contains(&b';') && !header.contains(&b',');
    Ok(if by_semicolon { Format::Delimited { delimiter: b';' } } else { format })
}

pub fn read_pasted(text: &str) -> Response {
    rows(data::pasted(text))
}

fn rows(examples: Vec<data::Example>) -> Response {
    let rows = examples.into_iter().map(|data::Example { text, label }| Example { text, label });
    Response::Rows { rows: rows.collect() }
}

pub fn review(
    texts: &[String],
    labels: &[String],
    share: f64,
    seed: u64,
) -> Result<Response, Problem> {
    if texts.len() != labels.len() {
        let (texts, labels) = (texts.len(), labels.len());
        return Err(format!("{texts} texts with {labels} labels; each text needs one.").into());
    }
    let findings = data::findings(texts, labels).into_iter().map(finding).collect();
    let ids = match LabelMap::from_labels("your rows", labels.iter().map(String::as_str)) {
        Ok(map) => labels.iter().map(|label| map.id(label).unwrap_or_default()).collect(),
        Err(_) => vec![0; labels.len()], // one label, which the findings say
    };
    let Split { train, held_out } = data::hold_out(texts, &ids, share, seed);
    Ok(Response::Reviewed(Reviewed { findings, train, held_out }))
}

fn finding(finding: data::Finding) -> Finding {
    match finding {
        data::Finding::OneLabel => Finding::OneLabel,
        data::Finding::FewRows { label, rows } => Finding::FewRows { label, rows },
        data::Finding::Unbalanced { largest, smallest } => {
            Finding::Unbalanced { largest, smallest }
        }
        data::Finding::Duplicates { rows } => Finding::Duplicates { rows },
        data::Finding::Contradictions { texts, example } => {
            Finding::Contradictions { texts, example }
        }
    }
}
