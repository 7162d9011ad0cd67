//! Processes that are interrupted while they save, and disks that are full.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wengert_core::{Generator, Stateful, Tensor, TensorMap};
use wengert_train::{Checkpoints, CsvLog, Kept, Stop};

const FOLDER: &str = "WENGERT_TEST_DIES_IN";

/// Numbers that are all the same, as many as were asked for.
struct Numbers(Vec<f64>);

impl Stateful for Numbers {
    fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        map.insert("numbers", Tensor::from_vec(self.0.clone(), [self.0.len()]).unwrap());
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> wengert_core::Result<()> {
        self.0 = map.tensor("numbers")?.to_vec();
        Ok(())
    }
}

/// The step of the latest checkpoint, which is whole.
fn latest(folder: &Path) -> u64 {
    let mut numbers = Numbers(Vec::new());
    let saved = Checkpoints::new(folder).unwrap().resume(&mut Kept::new().part("numbers", &mut numbers));
    let step = saved.unwrap().expect("there is one").step;
    assert!(!numbers.0.is_empty() && numbers.0.iter().all(|number| *number == step as f64));
    step
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Saves until it is asked to stop; no test unless another starts it.
#[test]
#[cfg(feature = "ctrlc")]
fn saving_child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let stop = Stop::new().on_interrupt().unwrap();
    let second = Stop::new().on_interrupt().unwrap_err().to_string();
    assert!(
        second.starts_with("Stop::on_interrupt: the handler must be the only one of this process"),
        "{second}"
    );
    let checkpoints = Checkpoints::new(folder).unwrap();
    let mut last = 0;
    for step in stop.over(1u64..) {
        let mut numbers = Numbers(vec![step as f64; 100_000]);
        checkpoints.save(step, None, &Kept::new().part("numbers", &mut numbers)).unwrap();
        println!("\nsaved {step}");
        last = step;
    }
    println!("\nstopped at {last}");
}

#[cfg(feature = "ctrlc")]
fn start(folder: &Path) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "died::saving_child", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "saved 1"), "the child has not begun");
    (child, lines)
}

#[cfg(feature = "ctrlc")]
fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
#[cfg(feature = "ctrlc")]
fn an_interrupt_while_it_saves_leaves_what_was_saved_whole() {
    let mut generator = Generator::from_seed(0);
    for _ in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, lines) = start(folder.path());
        std::thread::sleep(Duration::from_micros(generator.below(20_000) as u64));
        interrupt(&child);
        let lines: Vec<String> = lines.collect();
        assert!(child.wait().unwrap().success(), "{lines:?}");
        let last = lines.iter().find_map(|line| line.strip_prefix("stopped at ")).unwrap();
        assert_eq!(latest(folder.path()).to_string(), last);
        assert_eq!(files(folder.path()), [format!("step-{last}.safetensors")]);
    }
}

#[test]
#[cfg(feature = "ctrlc")]
fn a_second_interrupt_ends_at_once_and_leaves_a_whole_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, lines) = start(folder.path());
    // By then most often within a save.
    interrupt(&child);
    interrupt(&child);
    let saved = lines.filter_map(|line| line.strip_prefix("saved ")?.parse().ok()).last().unwrap_or(1u64);
    let status = child.wait().unwrap();
    assert!(status.success() || status.code() == Some(130), "{status}");
    assert!(latest(folder.path()) >= saved);
}

/// Saves where no file may be longer than 64 KiB; no test unless the one below starts it.
#[test]
fn full_child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let checkpoints = Checkpoints::new(folder).unwrap();
    let save = |step: u64, len: usize| {
        checkpoints.save(step, None, &Kept::new().part("numbers", &mut Numbers(vec![step as f64; len])))
    };
    save(1, 100).unwrap();
    let error = save(2, 100_000).unwrap_err().to_string();
    assert!(error.starts_with(&folder.join("step-2.safetensors").display().to_string()), "{error}");
    assert!(error.contains("File too large"), "{error}");
    assert_eq!((latest(folder), files(folder).len()), (1, 1));

    let mut log = CsvLog::open(folder.join("log.csv")).unwrap();
    let (name, mut rows) = ("x".repeat(40_000), 0);
    while log.row(rows + 1, &[(&name, 1.0 / 3.0)]).is_ok() {
        rows += 1;
    }
    // The half row does no harm: the next row, once there is room, is behind the last whole one.
    assert_eq!(CsvLog::open(folder.join("log.csv")).unwrap().last_step(), Some(rows));
    println!("\nrows {rows}");
}

#[test]
fn a_full_disk_is_an_error_and_the_earlier_checkpoint_stays() {
    let folder = tempfile::tempdir().unwrap();
    // In 512-byte blocks, as POSIX has it; some shells count 1024.
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact died::full_child --nocapture";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let rows: u64 = text.lines().find_map(|line| line.strip_prefix("rows ")?.parse().ok()).unwrap();
    let mut log = CsvLog::open(folder.path().join("log.csv")).unwrap();
    log.row(rows + 1, &[(&"x".repeat(40_000), 0.5)]).unwrap();
    let text = std::fs::read_to_string(folder.path().join("log.csv")).unwrap();
    assert_eq!(text.lines().count() as u64, rows + 2);
    assert!(text.ends_with(&format!("\n{},0.5\n", rows + 1)));
    assert_eq!(latest(folder.path()), 1);
}
