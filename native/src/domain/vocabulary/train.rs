//! `emberlab tokenizer train`.

use anyhow::{Result, ensure};
use emberlab_core::text::{Tokenizer, VocabularyKind};

use super::{count, pieces_table};
use crate::cli::{TokenizerTrainArgs, VocabularyChoice};
use crate::domain::corpus::Corpus;
use crate::files::hub;
use crate::files::staged::StagedFolder;
use crate::terminal::{counted, print};
use crate::{Outcome, files};

/// Runs the command.
pub fn run(args: &TokenizerTrainArgs) -> Result<Outcome> {
    let kind = match args.kind {
        VocabularyChoice::WordPiece => VocabularyKind::WordPiece { lowercase: !args.cased },
        VocabularyChoice::Bpe => {
            ensure!(!args.cased, "--cased is for WordPiece; bytes have capitals in any case");
            VocabularyKind::ByteLevelBpe
        }
    };
    let corpus = Corpus::open(&args.corpus)?;
    let folder = StagedFolder::create_new(&args.out)?;
    let texts = corpus.train.iter().map(|paragraph| paragraph.text.as_str());
    let tokenizer = Tokenizer::train(kind, args.vocab_size, texts)?;
    let mut written = vec![
        ("tokenizer.json".to_owned(), tokenizer.to_json()?),
        ("tokenizer_config.json".to_owned(), kind.tokenizer_config()),
    ];
    if let Some(model) = &args.model {
        let model = hub::folder(model, hub::Kind::Tokenizer)?;
        let config = files::read_config(&model)?.with_vocab_size(tokenizer.vocab_size())?;
        written.push(("config.json".to_owned(), config));
    }
    for (name, bytes) in &written {
        folder.write(name, bytes)?;
    }
    folder.finish()?;
    let parts = [("train", &corpus.train), ("held out", &corpus.held_out)];
    let mut rows = Vec::new();
    let counts = parts.map(|(_, part)| count(&tokenizer, part));
    for ((name, _), counts) in parts.iter().zip(&counts) {
        let Ok(counts) = counts else { continue };
        rows.push((*name, counts, vec![tokenizer.pieces_per_word(counts)?]));
    }
    print(format_args!(
        "{}saved   {} ({})\n",
        pieces_table(&["new"], &rows),
        args.out.display(),
        counted(tokenizer.vocab_size(), "piece"),
    ))?;
    Ok(Outcome::Completed)
}
