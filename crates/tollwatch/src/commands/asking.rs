//! How commands speak to a running service: by its API, with the configuration it was started with.
use crate::cli::ServiceArgs;
use crate::config::Config;
use anyhow::Context as _;
use tollwatch_http::Client;

/// The way to the service.
pub(super) struct Asking {
    pub(super) client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Asking {
    /// None where the service has no API.
    pub(super) fn new(arguments: &ServiceArgs, config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(http) = &config.service.http else { return Ok(None) };
        let language = config.language;
        if config.raw.http.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()) {
            anyhow::bail!(
                "{}",
                language.pick(
                    "http.tls.client_ca: the service asks for a client certificate, which this command does not have; \
                     ask the API with one, such as by `curl --cert` (docs/service.md)",
                    "http.tls.client_ca: サービスがクライアント証明書を求めていますが、このコマンドは対応していません。\
                     `curl --cert` などで API を直接呼び出してください (docs/service.md)",
                )
            );
        }
        let folder = config.service.folder.as_deref();
        let client = Client::load(http, arguments.at, folder, crate::language::environment)
            .context(language.pick("cannot ask the service", "サービスに問い合わせできません"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Some(Self { client, runtime }))
    }

    pub(super) fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }
}

/// Who asks, for the log of the service.
pub(super) fn who() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().filter_map(crate::language::environment);
    let name: String = named.filter(|name| !name.is_empty()).take(1).collect();
    let name: String = name.chars().filter(|character| !character.is_control()).take(100).collect();
    if name.is_empty() { "tollwatch".to_owned() } else { name }
}
