//! Lines of progress where there is no terminal: each beside the message of its items.

use std::path::PathBuf;
use std::time::Duration;

use wengert_train::Progress;

/// What a run writes: count and message of each line, without speed and time.
fn lines(every: Duration, run: impl FnOnce(&Progress)) -> Vec<String> {
    let (file, path) = tempfile::NamedTempFile::new().unwrap().into_parts();
    let progress = Progress::lines_to(file, every);
    run(&progress);
    progress.finish();
    read(&path.to_path_buf())
}

fn read(path: &PathBuf) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let short = |line: &str| {
        let (head, _) = line.rsplit_once("/s eta").unwrap();
        head.rsplit_once(' ').unwrap().0.to_string()
    };
    text.lines().map(short).collect()
}

#[test]
fn what_is_shown_after_an_epoch_is_beside_that_epochs_last_item() {
    let epochs = |progress: &Progress| {
        for epoch in 1..=3 {
            progress.over(0..2).for_each(drop);
            progress.show(format_args!("epoch {epoch}"));
        }
    };
    let often = ["1/2", "2/2 epoch 1", "3/4 epoch 1", "4/4 epoch 2", "5/6 epoch 2", "6/6 epoch 3"];
    assert_eq!(lines(Duration::ZERO, epochs), often);
    let seldom = ["2/2 epoch 1", "4/4 epoch 2", "6/6 epoch 3"];
    assert_eq!(lines(Duration::from_secs(1000), epochs), seldom);
}

#[test]
fn what_is_shown_within_an_item_is_beside_it() {
    let run = |progress: &Progress| {
        progress.over(1..4).for_each(|item| progress.show(format_args!("loss {item}")));
    };
    assert_eq!(lines(Duration::ZERO, run), ["1/3 loss 1", "2/3 loss 2", "3/3 loss 3"]);
    let now_and_then = |progress: &Progress| {
        for item in progress.over(1..5).filter(|item| item % 2 == 0) {
            progress.show(format_args!("loss {item}"));
        }
    };
    assert_eq!(lines(Duration::ZERO, now_and_then), ["1/4", "2/4 loss 2", "3/4 loss 2", "4/4 loss 4"]);
}

#[test]
fn items_that_are_counted_by_hand_have_their_message_before_or_after() {
    let before = |progress: &Progress| {
        progress.expect(3);
        for item in 1..=3 {
            progress.show(format_args!("loss {item}"));
            progress.advance(1);
        }
    };
    let after = |progress: &Progress| {
        progress.expect(3);
        for item in 1..=3 {
            progress.advance(1);
            progress.show(format_args!("loss {item}"));
        }
    };
    let last = ["3/3 loss 3"];
    assert_eq!(lines(Duration::ZERO, before), ["1/3 loss 1", "2/3 loss 2", "3/3 loss 3"]);
    assert_eq!(lines(Duration::ZERO, after), ["1/3", "2/3 loss 2", "3/3 loss 3"]);
    assert_eq!(lines(Duration::from_secs(1000), before), last);
    assert_eq!(lines(Duration::from_secs(1000), after), last);
}

#[test]
fn a_line_that_waits_is_written_at_the_end() {
    let silent = |progress: &Progress| progress.over(0..2).for_each(drop);
    assert_eq!(lines(Duration::ZERO, silent), ["1/2", "2/2"]);
    let (file, path) = tempfile::NamedTempFile::new().unwrap().into_parts();
    let progress = Progress::lines_to(file, Duration::from_secs(1000));
    silent(&progress);
    assert_eq!(read(&path.to_path_buf()), [""; 0]);
    drop(progress);
    assert_eq!(read(&path.to_path_buf()), ["2/2"]);
}
