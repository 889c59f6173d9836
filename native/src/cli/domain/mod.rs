//! The commands that bring a model home to a domain.

mod corpus;
mod grade;
mod pretrain;
mod study;
mod vocabulary;

use clap::Subcommand;

pub use corpus::CorpusArgs;
pub use grade::{
    AnswerColumns, GradeCommand, GradeEvaluateArgs, GradePredictArgs, GradeSettings,
    GradeTrainArgs, Method, SplitChoice,
};
pub use pretrain::{FillMaskArgs, PretrainArgs};
pub use study::{AdaptationArgs, StudyCommand};
pub use vocabulary::{TokenizerCommand, TokenizerExtendArgs, TokenizerTrainArgs, VocabularyChoice};

#[derive(Debug, Subcommand)]
pub enum DomainCommand {
    /// Make clean paragraphs of books, pages and notes
    Corpus(CorpusArgs),
    /// Train or extend a vocabulary on a corpus
    #[command(subcommand)]
    Tokenizer(TokenizerCommand),
    /// Train a masked language model on a corpus
    Pretrain(Box<PretrainArgs>),
    /// Show what a masked language model puts in place of [MASK]
    FillMask(FillMaskArgs),
    /// Give short answers points
    #[command(subcommand)]
    Grade(GradeCommand),
    /// Run a whole study
    #[command(subcommand)]
    Study(StudyCommand),
}
