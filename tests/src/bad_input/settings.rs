//! Settings out of range, and places that cannot be written.

use super::{refused, sound};

#[test]
fn settings_out_of_range() {
    let scratch = sound();
    for (setting, says) in [
        ("--epochs 0", "epochs = 0: expected at least 1"),
        ("--batch-size 0", "batch_size = 0: expected at least 1"),
        ("--gradient-accumulation-steps 0", "gradient_accumulation_steps = 0"),
        ("--learning-rate -1", "learning_rate = -1: expected 0 to 1"),
        ("--learning-rate nan", "learning_rate = NaN: expected 0 to 1"),
        ("--learning-rate inf", "learning_rate = inf: expected 0 to 1"),
        ("--weight-decay -0.1", "weight_decay = -0.1: expected 0 to 1"),
        ("--warmup-ratio 1.5", "warmup_ratio = 1.5: expected 0 to 1"),
        ("--max-grad-norm -1", "max_grad_norm = -1: expected 0"),
    ] {
        refused(
            &scratch,
            &format!("train --model model --train good.csv --out run {setting}"),
            says,
        );
    }
}

/// The classifier reads 48 tokens, of which [CLS] and [SEP] are two.
#[test]
fn lengths_that_the_model_cannot_read() {
    let scratch = sound();
    for (length, says) in [
        ("0", "max_length = 0: the special tokens alone take 2"),
        ("2", "max_length = 2: the special tokens alone take 2"),
        ("49", "max_length = 49: the model reads at most 48 tokens"),
    ] {
        for command in [
            "train --model model --train good.csv --out run",
            "predict --model model --input good.csv --output out.jsonl",
            "evaluate --model model --data good.csv",
        ] {
            refused(&scratch, &format!("{command} --max-length {length}"), says);
        }
    }
    scratch.run("predict --model model --text hello --max-length 48").ok();
    scratch.run("predict --model model --text hello --max-length 3").ok();
}

#[test]
fn places_that_cannot_be_written() {
    let scratch = sound();
    scratch.write("file", "");
    scratch.write("folder/notes.txt", "");
    let train = "train --model model --train good.csv --out";
    refused(&scratch, &format!("{train} file"), "file is a file; name a folder");
    refused(&scratch, &format!("{train} file/run"), "cannot write file/run");
    refused(&scratch, &format!("{train} folder"), "folder is not empty and no run folder");
    refused(
        &scratch,
        &format!("{train} model --overwrite"),
        "model holds the model that the run starts from",
    );
    let predict = "predict --model model --input good.csv --output";
    refused(&scratch, &format!("{predict} out.txt"), "out.txt: end the name in .jsonl or .csv");
    refused(&scratch, &format!("{predict} nowhere/out.csv"), "cannot write nowhere/out.csv");
    refused(
        &scratch,
        &format!("{predict} folder --format csv"),
        "cannot write folder: it is a folder",
    );
}
