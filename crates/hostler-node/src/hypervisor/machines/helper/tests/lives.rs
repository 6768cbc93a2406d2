//! The node's end with real processes: shells that say what they are told to and
//! die where they are told to.

use std::path::Path;

use super::*;

/// Files for a shell that plays the process.
struct Play {
    folder: tempfile::TempDir,
}

impl Play {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("hello", &frame(&hello()));
        // Questions that nobody heard have numbers, too.
        for id in 0..2_000 {
            write(&format!("answer-{id}"), &frame(&done(id)));
        }
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A process that does this; its line is its standard input.
    fn start(&self, script: &str) -> Helper {
        let text = format!("cd '{}'; echo $$ >> lives; {script}", self.path().display());
        Helper::start(HelperOptions {
            program: "/bin/sh".into(),
            arguments: ["-c".into(), text.into()].to_vec(),
            hello_within: PATIENCE,
        })
    }

    /// The processes that there were.
    fn lives(&self) -> Vec<i32> {
        let text = std::fs::read_to_string(self.path().join("lives")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    fn living(&self) -> usize {
        let lives = self.lives();
        let ids = lives
            .iter()
            .filter_map(|pid| hostler_daemon::process::ProcessId::of(*pid));
        ids.count()
    }
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    in_time(what, async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// What the shells do: read a whole question, and answer it.
const WORDS: &str = "read_one() { n=$(head -c4 <&0 | od -An -tu1 | awk '{print $3*256+$4}'); \
    head -c$n <&0 > asked; id=$(grep -o '\"id\":[0-9]*' asked | cut -d: -f2); \
    [ -n \"$id\" ] || exit 0; }; ";

/// Asks, as tasks do, again and again, until this is so.
async fn ask_until(helper: &Helper, what: &str, is: impl Fn(bool) -> bool) {
    in_time(what, async {
        loop {
            let asked = helper.power(vm(1), PowerAct::Start).await;
            assert!(asked.is_ok() || is_away(&asked), "{what}: {asked:?}");
            if is(asked.is_ok()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The process dies once, where this says; the next life is a good one.
async fn check(dies: &str) {
    let play = Play::new();
    let good = "cat hello >&0; while :; do read_one; cat answer-$id >&0; done";
    let once = format!("if [ ! -e died ]; then : > died; {dies}; kill -9 $$; fi");
    let helper = play.start(&format!("{WORDS} {once}; {good}"));
    ask_until(&helper, "another life", |_| play.lives().len() == 2).await;
    ask_until(&helper, "an answer", |done| done).await;
    assert_eq!(play.lives().len(), 2, "{dies}");
    assert_eq!(play.living(), 1, "{dies}");
    in_time("its end", helper.stop()).await;
    assert_eq!(play.living(), 0, "{dies}");
}

#[tokio::test]
async fn wherever_its_process_dies_calls_fail_as_away_and_the_next_life_answers() {
    for dies in [
        "true",
        "head -c 3 hello >&0",
        "cat hello >&0",
        "cat hello >&0; head -c 1 <&0 > asked",
        "cat hello >&0; read_one",
        "cat hello >&0; read_one; head -c 6 answer-$id >&0",
        "cat hello >&0; read_one; cat answer-$id >&0",
    ] {
        check(dies).await;
    }
}

#[tokio::test]
async fn one_that_speaks_nonsense_or_nothing_is_ended_although_it_does_not_heed_its_line() {
    for (script, why) in [
        ("printf garbage >&0; exec sleep 600", "cannot be heard"),
        (
            "printf '\\0\\0\\0\\2{}' >&0; exec sleep 600",
            "missing field",
        ),
        ("exec sleep 600", "said nothing"),
    ] {
        let play = Play::new();
        let text = format!("cd '{}'; echo $$ >> lives; {script}", play.path().display());
        let helper = Helper::start(HelperOptions {
            program: "/bin/sh".into(),
            arguments: ["-c".into(), text.into()].to_vec(),
            hello_within: Duration::from_millis(300),
        });
        let said = in_time("a reason", helper.begun(PATIENCE)).await;
        let said = said.unwrap_err();
        // A busy machine may not even begin it in time.
        assert!(
            said.contains(why) || said.contains("said nothing"),
            "{said}"
        );
        until("another life", || play.lives().len() > 1).await;
        assert!(play.living() <= 1, "two at once");
        in_time("its end", helper.stop()).await;
        assert_eq!(play.living(), 0);
    }
}

#[tokio::test]
async fn a_program_that_cannot_be_started_says_why() {
    let start = |program: &str, arguments: &[&str]| {
        Helper::start(HelperOptions {
            program: program.into(),
            arguments: arguments.iter().map(Into::into).collect(),
            hello_within: PATIENCE,
        })
    };
    for (helper, why) in [
        (start("/nowhere/at/all", &[]), "does not start"),
        (start("/bin/sh", &["-c", "exit 127"]), "libvirt0"),
        (start("/bin/sh", &["-c", "exit 3"]), "exit status: 3"),
    ] {
        let said = in_time("a reason", helper.begun(PATIENCE)).await;
        let said = said.unwrap_err();
        assert!(said.contains(why), "{said}");
        assert!(is_away(&helper.look().await));
        in_time("its end", helper.stop()).await;
    }
}

#[tokio::test]
async fn lives_that_end_at_once_follow_each_other_slower_and_slower() {
    let play = Play::new();
    let helper = play.start("exit 1");
    let began = std::time::Instant::now();
    until("five lives", || play.lives().len() >= 5).await;
    // 100, 200, 400 and 800 milliseconds lie between them.
    assert!(began.elapsed() >= Duration::from_millis(1_500));
    in_time("its end", helper.stop()).await;
}

#[tokio::test]
async fn the_process_ends_with_the_last_handle() {
    let play = Play::new();
    let helper = play.start("cat hello >&0; cat <&0 > asked");
    in_time("a hello", helper.begun(PATIENCE)).await.unwrap();
    let other = helper.clone();
    drop(helper);
    assert_eq!(play.living(), 1);
    drop(other);
    until("its end", || play.living() == 0).await;
}
