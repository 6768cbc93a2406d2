//! The service of the tests: a small static C program that counts its starts
//! in its working folder and does what its first argument says.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

const SOURCE: &str = r#"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void note(const char *name, const char *text) {
  FILE *file = fopen(name, "a");
  if (file) { fputs(text, file); fclose(file); }
}

static void number(const char *name, long value) {
  char text[32];
  snprintf(text, sizeof text, "%ld\n", value);
  note(name, text);
}

static void terminated(int signal) { (void)signal; note("terminated", "yes"); _exit(0); }

static void attempt(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  printf("%s %s %s\n", mode, path, file ? "allowed" : strerror(errno));
  if (file) fclose(file);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "stay";
  setvbuf(stdout, NULL, _IOLBF, 0);
  number("starts", getpid());
  if (!strcmp(what, "say")) {
    printf("name %s\n", argv[0]);
    for (int i = 1; i < argc; i++) printf("argument %s\n", argv[i]);
    for (char **one = environ; *one; one++) printf("variable %s\n", *one);
    printf("input %d\n", getchar());
    fprintf(stderr, "a complaint\n");
  } else if (!strcmp(what, "exit")) {
    printf("last words\n");
    return atoi(argv[2]);
  } else if (!strcmp(what, "abort")) {
    abort();
  } else if (!strcmp(what, "flood")) {
    static char line[32768];
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 2000; i++) fwrite(line, 1, sizeof line, stdout);
    note("flooded", "yes");
  } else if (!strcmp(what, "polite")) {
    signal(SIGTERM, terminated);
  } else if (!strcmp(what, "stubborn")) {
    signal(SIGTERM, SIG_IGN);
  } else if (!strcmp(what, "try")) {
    for (int i = 2; i + 1 < argc; i += 2) attempt(argv[i + 1], argv[i]);
  } else if (!strcmp(what, "family") || !strcmp(what, "abandon")) {
    for (int i = 0; i < 3; i++) {
      if (fork() == 0) {
        if (i > 0) setsid();
        signal(SIGTERM, SIG_IGN);
        if (i == 2 && fork() != 0) _exit(0);
        number("family", getpid());
        for (;;) pause();
      }
    }
    if (!strcmp(what, "abandon")) { usleep(200000); return 7; }
  }
  note("ready", "yes");
  for (;;) pause();
}
"#;

/// The program's bytes.
pub(crate) fn service() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| compile(&["-static", "-no-pie"]))
}

/// The same program, in need of a loader.
pub(crate) fn dynamic() -> Vec<u8> {
    compile(&[])
}

fn compile(options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, program) = (
        folder.path().join("service.c"),
        folder.path().join("service"),
    );
    std::fs::write(&source, SOURCE).expect("written");
    let status = Command::new("cc")
        .args(options)
        .arg("-o")
        .args([&program, &source])
        .status()
        .expect("a C compiler is installed");
    assert!(status.success());
    std::fs::read(program).expect("compiled")
}

/// The numbers in a file, one on a line.
pub(crate) fn numbers(file: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| line.parse().expect("a number"))
        .collect()
}

/// Whether a process lives; a zombie does not.
pub(crate) fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}
