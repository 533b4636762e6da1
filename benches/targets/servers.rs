//! Where do the silences go? `examples/fleet.rs`, a second process with all the
//! servers.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Many servers in memory, gone when dropped.
pub struct Servers {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where they are: one address each, or one for all.
    pub addresses: Vec<String>,
}

impl Servers {
    /// `shape` is what the program calls it.
    pub fn start(shape: &str, number: usize) -> Self {
        let program =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/examples/fleet");
        let mut process = Command::new(program)
            .args([shape, &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("examples/fleet is built by `make bench-targets`");
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut servers = Self {
            process,
            orders,
            answers,
            addresses: Vec::new(),
        };
        loop {
            match servers.answer() {
                ready if ready == "ready" => return servers,
                address => servers.addresses.push(address),
            }
        }
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        let length = self.answers.read_line(&mut line).unwrap();
        assert!(
            length > 0,
            "the servers ended; does `ulimit -n` allow 8192 open files?"
        );
        line.trim_end().to_owned()
    }

    /// See the program's documentation.
    pub fn order(&mut self, order: &str) -> String {
        writeln!(self.orders, "{order}").unwrap();
        self.answer()
    }

    /// How many were written to since they were told to `mark`, and how often
    /// in all.
    pub fn written(&mut self) -> (usize, usize) {
        let count = self.order("count");
        let (servers, writes) = count.split_once(' ').unwrap();
        (servers.parse().unwrap(), writes.parse().unwrap())
    }

    /// The number of their process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Either fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
