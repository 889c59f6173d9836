//! A finished classifier, opened for `predict` and `evaluate`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use emberlab_core::data::Task;
use emberlab_core::model::{BertConfig, Classifier, Prediction, answers};
use emberlab_core::text::{Encoding, Texts};
use indicatif::ProgressBar;

use crate::cli::{DEFAULT_MAX_LENGTH, InferenceArgs, QUESTION_MAX_LENGTH};
use crate::files::embedded;
use crate::files::hub::{self, Kind};
use crate::machine::device;
use crate::run::record::Answering;
use crate::terminal::{counted, note, progress, short};
use crate::{files, run};

/// A classifier on its device, with the lengths that texts and batches are to have.
pub struct Inference {
    pub classifier: Classifier,
    max_length: usize,
    answering: Answering,
    batch_size: usize,
}

impl Inference {
    /// Opens the classifier in `model`, or the embedded one.
    pub fn open(model: Option<&Path>, args: &InferenceArgs) -> Result<Self> {
        let chosen = device::choose(args.device.device)?;
        let folder = model.map_or_else(
            || embedded::find(embedded::CLASSIFIER, "--model DIR"),
            |dir| hub::folder(dir, Kind::Model),
        )?;
        let (classifier, _) = Classifier::open(&files::read_model(&folder)?, &chosen.device)?;
        let classifier = args.device.apply(classifier);
        note(format_args!("model   {}", folder.display()));
        note(format_args!("device  {chosen}"));
        let usual = run::folder::max_length(&folder).unwrap_or(usual_length(classifier.task()));
        let max_length = max_length(args.max_length, usual, classifier.max_length())?;
        let answering = run::folder::answering(&folder).unwrap_or_default();
        Ok(Self { classifier, max_length, answering, batch_size: args.batch_size })
    }

    /// The same, which may answer that a context does not say, if it was not trained for that already.
    pub fn version_2_with_negative(mut self, asked: bool) -> Self {
        self.answering.version_2_with_negative |= asked;
        self
    }

    /// Tokens at which a text is cut.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The predictions for `texts`, in their order; says how long it took.
    pub fn predict(&self, texts: &Texts) -> Result<Vec<Prediction>> {
        let mut work = Work::new(Some(texts.len()));
        let predictions = self.predict_some(texts, &mut work)?;
        self.note(&work);
        Ok(predictions)
    }

    /// The predictions for some of all texts, in their order.
    pub fn predict_some(&self, texts: &Texts, work: &mut Work) -> Result<Vec<Prediction>> {
        if self.classifier.task() == Task::QuestionAnswering {
            return self.answer_some(texts, work);
        }
        let encodings = encode(&self.classifier, texts, self.max_length)?;
        work.cut += encodings.iter().filter(|encoding| encoding.truncated).count();
        let predicting = self.classifier.predict(&encodings, self.batch_size, |done| {
            work.bar.set_position((work.rows + done) as u64);
        });
        let predictions = pollster::block_on(predicting)?;
        work.rows += texts.len();
        Ok(predictions)
    }

    fn answer_some(&self, texts: &Texts, work: &mut Work) -> Result<Vec<Prediction>> {
        let Answering { doc_stride, version_2_with_negative } = self.answering;
        ensure!(
            texts.second.len() == texts.len(),
            "this model answers questions from their contexts: give it rows with `question` and `context`, or --text and --text-pair"
        );
        let tokenizer = self.classifier.tokenizer();
        let (encodings, windows) =
            tokenizer.encode_questions(texts, self.max_length, doc_stride)?;
        check_pairs(self.classifier.config(), encodings.first(), true)?;
        let predicting = self.classifier.predict(&encodings, self.batch_size, |done| {
            let row = done.checked_sub(1).map_or(0, |last| windows[last].row);
            work.bar.set_position((work.rows + row) as u64);
        });
        let predictions = pollster::block_on(predicting)?;
        work.rows += texts.len();
        Ok(answers(&texts.second, &windows, &predictions, version_2_with_negative))
    }

    /// Says what was done.
    pub fn note(&self, work: &Work) {
        work.bar.finish_and_clear();
        if work.cut > 0 {
            let cut = counted(work.cut, "text");
            note(format_args!("cut     {cut} at {} tokens", self.max_length));
        }
        let rate = work.rows as f64 / work.started.elapsed().as_secs_f64();
        let (texts, took) = (counted(work.rows, "text"), short(work.started.elapsed()));
        note(format_args!("done    {texts} in {took}, {rate:.0} a second"));
    }
}

/// What was predicted so far.
pub struct Work {
    started: Instant,
    rows: usize,
    /// Texts that lost their end.
    cut: usize,
    bar: ProgressBar,
}

impl Work {
    /// `rows` is the number of texts to come, where it is known.
    pub fn new(rows: Option<usize>) -> Self {
        let bar = rows.map_or_else(ProgressBar::hidden, progress::texts);
        Self { started: Instant::now(), rows: 0, cut: 0, bar }
    }

    /// Does what may print, and keeps the bar out of it.
    pub fn above_bar<T>(&self, what: impl FnOnce() -> T) -> T {
        self.bar.suspend(what)
    }

    /// Texts predicted so far.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// Texts or pairs as token ids of a classifier's tokenizer.
///
/// # Errors
/// The model has no embedding for what pairs need.
pub fn encode(classifier: &Classifier, texts: &Texts, max_length: usize) -> Result<Vec<Encoding>> {
    let tokenizer = classifier.tokenizer();
    if classifier.task() == Task::TokenClassification && texts.words.is_empty() {
        return Ok(tokenizer.encode_with_words(&texts.first, max_length)?);
    }
    let encodings = tokenizer.encode_texts(texts, max_length)?;
    check_pairs(classifier.config(), encodings.first(), !texts.second.is_empty())?;
    Ok(encodings)
}

/// Looks at one of a set of pairs; single texts are checked when a model is opened.
///
/// # Errors
/// The model has no embedding for what pairs need.
pub fn check_pairs(config: &BertConfig, first: Option<&Encoding>, are_pairs: bool) -> Result<()> {
    let beyond = |ids: &[u32], rows| ids.iter().any(|&id| id as usize >= rows);
    let Some(first) = first.filter(|_| are_pairs) else { return Ok(()) };
    let types = config.token_types().unwrap_or(usize::MAX);
    ensure!(
        !beyond(&first.type_ids, types) && !beyond(&first.ids, config.vocab_size),
        "this model takes no pairs of texts (type_vocab_size is {}); name one column with --text-column",
        config.type_vocab_size
    );
    Ok(())
}

/// Tokens at which a text is cut, or of a window on a context, where nothing else is asked for.
pub fn usual_length(task: Task) -> usize {
    if task == Task::QuestionAnswering { QUESTION_MAX_LENGTH } else { DEFAULT_MAX_LENGTH }
}

/// Tokens at which a text is cut: as asked for, else as usual or what the model can read if that is
/// less.
///
/// # Errors
/// More was asked for than the model can read.
pub fn max_length(asked: Option<usize>, usual: usize, limit: usize) -> Result<usize> {
    match asked {
        Some(length) if length > limit => {
            bail!("max_length = {length}: the model reads at most {limit} tokens")
        }
        Some(length) => Ok(length),
        None => Ok(usual.min(limit)),
    }
}
