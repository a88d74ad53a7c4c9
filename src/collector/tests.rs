use super::Collector;
use crate::config::CollectorConfig;
use crate::store::{Filter, Memory, Receipt, Results as _, Store};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Batch, Counts, Direction, Health, Load, Numbered, Sample, Statistic, Values};
use broadgauge_model::task::Instruction;
use broadgauge_model::wire;
use broadgauge_model::wire::registration::Registration;
use broadgauge_probes::probe::Stop;
use reqwest::StatusCode;
use std::sync::Arc;

const TOKEN: &str = "0123456789abcdef";

struct Desk {
    url: String,
    client: reqwest::Client,
    store: Arc<Memory>,
    stop: tokio::sync::watch::Sender<bool>,
    running: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
}

async fn open() -> Desk {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let config = CollectorConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        store: "memory:".into(),
        token: TOKEN.into(),
        instruction_file: Some(folder.path().join("instruction.toml")),
        address_file: None,
        max_body_bytes: 100_000,
    };
    let store = Arc::new(Memory::default());
    let shared: Arc<dyn Store> = store.clone();
    let collector = Collector::bind_over(config, shared).await.unwrap();
    let url = format!("http://{}", collector.address());
    let (stop, stopped) = Stop::new();
    let running = tokio::spawn(async move { collector.run(stopped).await.unwrap() });
    Desk {
        url,
        client: reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap(),
        store,
        stop,
        running,
        folder,
    }
}

impl Desk {
    async fn post(&self, path: &str, body: Vec<u8>) -> (StatusCode, String) {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(TOKEN).body(body);
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn register(&self) -> String {
        let line = AccessLine { line_id: "l".into(), operator: "A".into(), ..AccessLine::default() };
        let registration =
            Registration { version: 1, agent: "a".into(), lines: vec![line], ..Registration::default() };
        let (status, text) = self.post("/v1/agents", serde_json::to_vec(&registration).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        text
    }

    fn rows(&self) -> usize {
        let mut rows = 0;
        self.store.scan(&Filter::default(), &mut |_| rows += 1).unwrap();
        rows
    }

    async fn close(self) {
        self.stop.send(true).unwrap();
        self.running.await.unwrap();
    }
}

fn batch(numbers: std::ops::Range<u64>, value: f64) -> Batch {
    let sample = |number: u64| Sample {
        metric: MetricId::CONNECT_TIME,
        method: "connect".into(),
        method_version: 1,
        line_id: "l".into(),
        target: None,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        started_at: Wall::from_secs(number as i64),
        lasted: Span::ZERO,
        statistic: Statistic::Singleton,
        values: Values::Number(value),
        counts: Counts::default(),
        details: serde_json::Map::new(),
    };
    let samples = numbers.map(|number| Numbered { number, sample: sample(number) }).collect();
    Batch { agent: "a".into(), health: Health::default(), samples }
}

#[tokio::test]
async fn a_batch_sent_twice_is_answered_as_stored_and_then_as_known() {
    let desk = open().await;
    desk.register().await;
    let body = wire::encode(&batch(0..50, 1.0));
    let (status, text) = desk.post("/v1/batches", body.clone()).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, r#"{"stored":50,"already":0,"rejected":[]}"#));
    assert_eq!(desk.rows(), 50);
    let (_, text) = desk.post("/v1/batches", body).await;
    assert_eq!(text, r#"{"stored":0,"already":50,"rejected":[]}"#);
    let (_, text) = desk.post("/v1/batches", wire::encode(&batch(49..51, 2.0))).await;
    let receipt: Receipt = serde_json::from_str(&text).unwrap();
    assert_eq!((receipt.stored, receipt.rejected.len(), receipt.rejected[0].number), (1, 1, 49));
    assert_eq!(desk.rows(), 51);
    desk.close().await;
}

#[tokio::test]
async fn without_the_token_nothing_is_read_and_nothing_is_told() {
    let desk = open().await;
    for token in ["", "0123456789abcdeF", "0123456789abcdef0"] {
        let request = desk.client.post(format!("{}/v1/batches", desk.url)).bearer_auth(token);
        let response = request.body(wire::encode(&batch(0..1, 1.0))).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
    let asked = desk.client.get(format!("{}/v1/instruction?agent=a", desk.url)).send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::UNAUTHORIZED);
    let alive = desk.client.get(format!("{}/healthz", desk.url)).send().await.unwrap();
    assert_eq!(alive.text().await.unwrap(), r#"{"status":"ok"}"#);
    assert_eq!(desk.rows(), 0);
    desk.close().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_the_reason() {
    let desk = open().await;
    desk.register().await;
    for (body, status, reason) in [
        (b"{".to_vec(), StatusCode::BAD_REQUEST, "not readable"),
        (br#"{"version":9,"agent":"a","samples":[]}"#.to_vec(), StatusCode::BAD_REQUEST, "version 9"),
        (vec![b' '; 100_001], StatusCode::PAYLOAD_TOO_LARGE, "limit"),
    ] {
        let (answered, text) = desk.post("/v1/batches", body).await;
        assert_eq!(answered, status, "{text}");
        assert!(text.starts_with(r#"{"error":"#) && text.contains(reason), "{text}");
    }
    let (status, text) = desk.post("/v1/agents", br#"{"version":1,"agent":""}"#.to_vec()).await;
    assert_eq!((status, text.contains("agent is empty")), (StatusCode::BAD_REQUEST, true));
    desk.close().await;
}

#[tokio::test]
async fn an_agent_that_nobody_knows_is_asked_to_register_first() {
    let desk = open().await;
    let (status, text) = desk.post("/v1/batches", wire::encode(&batch(0..1, 1.0))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(text.contains("POST /v1/agents"), "{text}");
    desk.register().await;
    let (status, _) = desk.post("/v1/batches", wire::encode(&batch(0..1, 1.0))).await;
    assert_eq!(status, StatusCode::OK);
    desk.close().await;
}

#[tokio::test]
async fn an_agent_that_registers_is_told_the_highest_number_that_is_kept_of_it() {
    let desk = open().await;
    assert_eq!(desk.register().await, r#"{"highest_number":null}"#);
    desk.post("/v1/batches", wire::encode(&batch(7..50, 1.0))).await;
    assert_eq!(desk.register().await, r#"{"highest_number":49}"#);
    desk.close().await;
}

#[tokio::test]
async fn an_instruction_can_be_edited_while_the_collector_runs() {
    let desk = open().await;
    let ask = async |agent: &str| {
        let request = desk.client.get(format!("{}/v1/instruction?agent={agent}", desk.url));
        request.bearer_auth(TOKEN).send().await.unwrap()
    };
    let told: Instruction = ask("a").await.json().await.unwrap();
    assert_eq!(told, Instruction::default());
    let file = desk.folder.path().join("instruction.toml");
    std::fs::write(&file, "version = 3\n[suppression]\nagents = [\"a\"]\nuntil = \"2030-01-01T00:00:00Z\"\n")
        .unwrap();
    let told: Instruction = ask("a").await.json().await.unwrap();
    assert_eq!(
        (told.version, told.suppression.unwrap().until),
        (3, Wall::parse_rfc3339("2030-01-01T00:00:00Z"))
    );
    let told: Instruction = ask("b").await.json().await.unwrap();
    assert_eq!(told.suppression, None);
    std::fs::write(&file, "version = 4\n[suppression]\nuntil = \"tomorrow\"\n").unwrap();
    let refused = ask("a").await;
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(refused.text().await.unwrap().contains("suppression.until"));
    desk.close().await;
}

#[tokio::test]
async fn many_senders_at_once_are_all_kept() {
    let desk = Arc::new(open().await);
    desk.register().await;
    let mut senders = Vec::new();
    for part in 0..40 {
        let desk = Arc::clone(&desk);
        senders.push(tokio::spawn(async move {
            let (status, text) =
                desk.post("/v1/batches", wire::encode(&batch(part * 20..part * 20 + 30, 1.0))).await;
            assert_eq!(status, StatusCode::OK, "{text}");
        }));
    }
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(desk.rows(), 39 * 20 + 30);
    Arc::into_inner(desk).unwrap().close().await;
}
