//! The harness around Alertmanager, with the real program.

use std::path::Path;
use std::time::Duration;

use gwlock_testkit::alertmanager;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

fn configuration(port: u16) -> String {
    format!(
        "route: {{receiver: here, group_wait: 0s}}
receivers:
- name: here
  webhook_configs:
  - url: http://127.0.0.1:{port}/path
"
    )
}

#[tokio::test]
async fn an_alert_that_is_posted_is_sent_and_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let Some(alertmanager) = alertmanager(&configuration(port)).await else {
        return;
    };
    alertmanager
        .post(&json!([{"labels": {"alertname": "A"}}]))
        .await;
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut start = [0; 20];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"POST /path HTTP/1.1\r");
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    let series = "alertmanager_notification_requests_total{integration=\"webhook\"}";
    let counted = async {
        while alertmanager.metric(series).await < 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, counted).await.unwrap();
}

#[tokio::test]
async fn nothing_is_left_of_one_that_is_dropped() {
    let Some(alertmanager) = alertmanager(&configuration(1)).await else {
        return;
    };
    let id = alertmanager.id();
    let folder = alertmanager.folder().to_owned();
    assert!(folder.exists());
    drop(alertmanager);
    assert!(!folder.exists());
    assert!(!Path::new(&format!("/proc/{id}")).exists());
}

#[tokio::test]
async fn a_configuration_that_is_wrong_is_told() {
    let wrong = "route: {receiver: nobody}\nreceivers: [{name: here}]\n";
    let panic = match tokio::spawn(alertmanager(wrong)).await {
        Ok(None) => return,
        Ok(Some(_)) => panic!("it started"),
        Err(error) => error.into_panic(),
    };
    let told = panic.downcast::<String>().unwrap();
    let expected = "undefined receiver \\\"nobody\\\" used in route";
    assert!(told.contains(expected), "{told}");
}
