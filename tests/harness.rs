//! What the tests share: an engine with the embedded defaults, and ways to feed it.
use std::path::{Path, PathBuf};
use tollwatch::{Config, Overrides, Scanner};
use tollwatch_cdr::{Decoder, Format, Place, Record, Rejected, Sink, Zone};
use tollwatch_detect::{Engine, Incident, IncidentV1, ScopeKind, Settings, Severity, TenantId};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Captures of a real PBX that not every checkout has beside it. A test that needs them says so and passes.
pub(crate) fn captures() -> Option<PathBuf> {
    let folder = root().join("../shared/asterisk");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not here", folder.display());
    None
}

/// The embedded configuration, for another zone if need be.
pub(crate) fn config(zone: &str) -> Config {
    let overrides = Overrides { timezone: Some(zone.to_owned()), ..Overrides::default() };
    Config::load(None, &overrides).expect("the embedded configuration is good")
}

pub(crate) fn settings() -> Settings {
    config("Asia/Tokyo").settings
}

/// The embedded configuration with more behind it.
pub(crate) fn settings_with(addition: &str) -> Settings {
    let text = format!("{}{addition}", tollwatch::default_text());
    let overrides = Overrides { timezone: Some("Asia/Tokyo".to_owned()), ..Overrides::default() };
    Config::from_text(&text, "test.toml", None, &overrides).expect("what is added is good").settings
}

/// Scans files as the command does, several by event time.
pub(crate) fn scan(files: &[&Path], zone: &str) -> (Engine, tollwatch::ScanReport) {
    let Config { sources, settings, .. } = config(zone);
    let mut engine = Engine::new(settings);
    let mut scanner = Scanner::new(sources);
    for file in files {
        scanner.open(file).unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
    }
    let report = scanner.run(&mut engine, &mut |_| {});
    (engine, report)
}

/// The incidents as `--incidents` writes them.
pub(crate) fn lines(engine: &Engine) -> Vec<String> {
    wire(engine).iter().map(|incident| serde_json::to_string(incident).unwrap()).collect()
}

pub(crate) fn wire(engine: &Engine) -> Vec<IncidentV1> {
    let wire = |incident: &Incident| IncidentV1::new(incident, engine.settings_of(&incident.tenant));
    engine.incidents().iter().map(wire).collect()
}

/// Names of the extensions, or the trunks where none is known, that have a critical incident.
pub(crate) fn critical(engine: &Engine) -> Vec<String> {
    let mut names: Vec<String> = engine
        .incidents()
        .into_iter()
        .filter(|incident| {
            incident.severity == Severity::Critical && incident.scope.kind != ScopeKind::Tenant
        })
        .map(|incident| incident.scope.value.to_string())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Records of one stream on their way to one tenant of an engine.
pub(crate) struct Feed<'e> {
    pub(crate) engine: &'e mut Engine,
    pub(crate) tenant: TenantId,
    pub(crate) records: usize,
    pub(crate) rejected: usize,
    /// The engine is told to conclude after so many records.
    pub(crate) flush_every: usize,
}

impl Sink for Feed<'_> {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        self.engine.observe(self.tenant, 0, record);
        self.records += 1;
        if self.records.is_multiple_of(self.flush_every) {
            self.engine.flush();
        }
    }
    fn passed_over(&mut self, _: Place) {}
    fn rejected(&mut self, _: &Rejected<'_>) {
        self.rejected += 1;
    }
}

/// Decodes bytes in blocks of the given size into a tenant of the engine.
pub(crate) fn feed(
    engine: &mut Engine,
    tenant: &str,
    format: Format,
    bytes: &[u8],
    block: usize,
    flush_every: usize,
) {
    let mut decoder = Decoder::new(format, Zone::parse("Asia/Tokyo").unwrap());
    let tenant = engine.tenant(tenant);
    let mut start = 0;
    let mut end = 0;
    loop {
        end = (end + block).min(bytes.len());
        let last = end == bytes.len();
        let mut sink = Feed { engine, tenant, records: 0, rejected: 0, flush_every };
        start += decoder.decode(&bytes[start..end], last, &mut sink);
        if last {
            return;
        }
    }
}
