//! What is said when the API server does not answer, or does not know who asks.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::{Gwlock, Run, Server};

use super::{doctor, lines};

#[test]
fn a_port_that_is_closed_is_told_from_a_name_that_is_not_known() {
    let mut server = Server::start();
    let kubeconfig = server.kubeconfig("admin");
    server.stop_serving();
    let run = Gwlock::new(&["doctor"]).env("KUBECONFIG", kubeconfig).run();
    assert_eq!(
        lines(&run),
        [
            "ok kubeconfig SERVER, leases in kubernaut-system, requests in kubernaut-system",
            "ok name 127.0.0.1 is 127.0.0.1",
            &format!(
                "failure port port {} does not accept connections: SERVER connection refused",
                port(&run.stdout)
            ),
            "failure api-server client error (Connect): tcp connect error: Connection refused (os error 111)",
            "skipped everything-else nothing else can be asked without the API server",
        ]
    );
    assert_eq!(run.code, 69);
    assert!(
        run.stderr
            .starts_with("error: the connection to the server 127.0.0.1:"),
        "{run:?}"
    );
    let hint =
        "hint: kubectl config view --minify   # the address and the authority that are used\n";
    assert!(run.stderr.ends_with(hint), "{run:?}");

    let run = Gwlock::new(&[
        "doctor",
        "--server",
        "https://nope.invalid:6443",
        "-o",
        "json",
    ])
    .run();
    let printed = run.json();
    let results: Vec<(&str, &str)> = printed["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (
                check["check"].as_str().unwrap(),
                check["result"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            ("kubeconfig", "ok"),
            ("name", "failure"),
            ("api-server", "failure"),
            ("everything-else", "skipped")
        ]
    );
    assert_eq!(
        (run.code, run.json_error()["code"].as_u64()),
        (69, Some(69))
    );
}

fn port(text: &str) -> &str {
    let after = text
        .split("failure   port")
        .nth(1)
        .unwrap()
        .split("port ")
        .nth(1)
        .unwrap();
    after.split(' ').next().unwrap()
}

#[test]
fn nobody_that_the_server_knows_is_forbidden() {
    let server = Server::start();
    let run = server.gwlock_as("stranger", &["doctor"]).run();
    assert_eq!(run.code, 77, "{run:?}");
    let said = lines(&run);
    assert_eq!(said[1], "ok name 127.0.0.1 is 127.0.0.1");
    assert!(
        said[2].starts_with("ok port SERVER accepts connections"),
        "{said:?}"
    );
    assert_eq!(said[3], "failure api-server Unauthorized");
    assert!(run.stderr.contains("hint: kubectl auth whoami"), "{run:?}");
}

#[test]
fn no_configuration_is_a_check_too() {
    let run = Gwlock::new(&["doctor"]).run();
    assert_eq!(
        (run.code, lines(&run)),
        (
            78,
            vec![
                "failure kubeconfig no kubeconfig was found, and this is no pod of a cluster"
                    .to_owned()
            ]
        )
    );
    assert!(
        run.stderr.starts_with("error: no kubeconfig was found"),
        "{run:?}"
    );
}

#[test]
fn a_password_in_the_address_is_not_shown() {
    let run = Gwlock::new(&[
        "doctor",
        "--server",
        "http://ops:hunter2@127.0.0.1:1",
        "--request-timeout",
        "2s",
    ])
    .run();
    assert_eq!(run.code, 69, "{run:?}");
    // The commands to paste have it, because whoever pastes them has typed it.
    let said = run.stdout.lines().filter(|line| !line.contains("kubectl "));
    let said: Vec<&str> = said.collect();
    assert_eq!(
        said[1],
        "  ok        kubeconfig        http://REDACTED@127.0.0.1:1, leases in kubernaut-system, requests in kubernaut-system"
    );
    assert!(!said.join("\n").contains("hunter2"), "{run:?}");
    let error = run.stderr.lines().next().unwrap();
    assert_eq!(
        error,
        "error: the connection to the server 127.0.0.1:1 was refused: is it the right host and port?"
    );
}

#[test]
fn nothing_is_drawn_where_nobody_sees_it() {
    let server = super::healthy();
    assert_eq!(doctor(&server, &[]).stderr, "");
    let coloured = doctor(&server, &["--color", "always"]).stdout;
    assert!(
        coloured.contains("  \u{1b}[32mok     \u{1b}[0m   kubeconfig"),
        "{coloured:?}"
    );
}

#[test]
fn what_is_no_api_server_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let served = std::thread::spawn(move || {
        // The second connection is that of the look at the port.
        let (mut stream, _) = listener.accept().unwrap();
        let mut chunk = [0; 4096];
        let _ = stream.read(&mut chunk).unwrap();
        let page = "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope";
        stream.write_all(page.as_bytes()).unwrap();
        listener.accept().unwrap();
    });
    let run = Gwlock::new(&["doctor", "--server", &url]).run();
    served.join().unwrap();
    assert_eq!(run.code, 69, "{run:?}");
    let error =
        format!("error: what answers at {url} is no API server: the server answered 404 Not Found");
    assert_eq!(run.stderr.lines().next(), Some(error.as_str()));
    assert!(lines(&run)[2].starts_with("ok port "), "{run:?}");
}

#[test]
fn ctrl_c_ends_the_wait_for_a_server_that_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let flags = ["doctor", "--request-timeout", "1h", "--server", &url];
    let child = Gwlock::new(&flags).start();
    let (mut stream, _) = listener.accept().unwrap();
    // It waits for an answer once it has asked.
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let run: Run = child.wait_with_output().unwrap().into();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (130, "", "")
    );
}
