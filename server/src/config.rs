//! What can be chosen when the server is started, and the addresses that follow from it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderMap;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use shared::limits;

/// Options of `tablehop serve`; each can also be given in the environment.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Address and port to listen on; 0.0.0.0 lets everybody on the network in, 127.0.0.1 only this machine
    #[arg(long, env = "TABLEHOP_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// Directory that holds everything that is written; created if it does not exist
    #[arg(long, env = "TABLEHOP_DATA", value_name = "DIRECTORY", default_value = "./data")]
    pub data: PathBuf,

    /// Address under which guests reach this server.
    #[arg(
        long,
        env = "TABLEHOP_PUBLIC_URL",
        value_name = "URL",
        value_parser = parse_origin,
        help = "Address under which guests reach this server, for links and QR codes, such as https://cafe.example.com; without it, \
            this machine's address on the local network"
    )]
    pub public_url: Option<String>,

    /// A further address from which pages may call this server; can be repeated, or separated by commas
    #[arg(long, env = "TABLEHOP_ALLOW_ORIGIN", value_name = "URL", value_delimiter = ',', value_parser = parse_origin)]
    pub allow_origin: Vec<String>,

    /// Open the start page in this machine's browser
    #[arg(long, env = "TABLEHOP_OPEN", value_parser = FalseyValueParser::new())]
    pub open: bool,

    /// When to draw the QR code of the address in the terminal
    #[arg(long, env = "TABLEHOP_QR", value_name = "WHEN", value_enum, default_value_t = QrWhen::Auto)]
    pub qr: QrWhen,

    /// What to log, as levels per module: "info", "warn,server=debug" …
    #[arg(long, env = "TABLEHOP_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// How log lines look
    #[arg(long, env = "TABLEHOP_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Take the guest's address from X-Forwarded-For: only behind a reverse proxy that sets it
    #[arg(long, env = "TABLEHOP_TRUSTED_PROXY", value_parser = FalseyValueParser::new())]
    pub trusted_proxy: bool,

    /// Answer /metrics to everybody instead of this machine alone
    #[arg(long, env = "TABLEHOP_PUBLIC_METRICS", value_parser = FalseyValueParser::new())]
    pub public_metrics: bool,

    /// People who may join at once from one address, as a whole company behind one router does; as many again each minute
    #[arg(long, env = "TABLEHOP_JOIN_LIMIT", value_name = "PEOPLE", default_value_t = limits::JOINS_PER_ADDRESS,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub join_limit: u32,

    /// Wrong join codes that one address may try within ten minutes
    #[arg(long, env = "TABLEHOP_WRONG_CODE_LIMIT", value_name = "CODES", default_value_t = limits::WRONG_CODES_PER_ADDRESS,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub wrong_code_limit: u32,

    /// Cafés that may be created at once from one address; as many again each hour
    #[arg(long, env = "TABLEHOP_CREATE_LIMIT", value_name = "CAFÉS", default_value_t = limits::CREATIONS_PER_ADDRESS,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub create_limit: u32,

    /// Requests that one address may make at once, as many again each minute; people who are in a café are counted for themselves first
    #[arg(long, env = "TABLEHOP_REQUEST_LIMIT", value_name = "REQUESTS", default_value_t = limits::REQUESTS_PER_ADDRESS,
          value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub request_limit: u32,

    /// WebSockets that may be open at once from one address, and as many HTTP connections beside them, which are not counted behind
    /// --trusted-proxy; a page has one WebSocket
    #[arg(long, env = "TABLEHOP_CONNECTION_LIMIT", value_name = "SOCKETS", default_value_t = limits::CONNECTIONS_PER_ADDRESS,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connection_limit: u32,

    /// Seconds within which the head of a request must have come, and after which an idle HTTP connection is closed; longer than a proxy
    /// in front keeps its own
    #[arg(long, env = "TABLEHOP_HEAD_SECONDS", value_name = "SECONDS", default_value_t = limits::HEAD_SECONDS,
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub head_seconds: u32,

    /// Days after which a token, and with it a link, opens its café no more, counted from when it was issued; 0 for never
    #[arg(long, env = "TABLEHOP_TOKEN_DAYS", value_name = "DAYS", default_value_t = limits::TOKEN_DAYS,
          value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub token_days: u32,

    /// MiB of memory that all boards that are in use may take together; from three quarters of it on no further one is opened until others
    /// have been left
    #[arg(long, env = "TABLEHOP_BOARDS_MEMORY", value_name = "MIB", default_value_t = limits::BOARDS_MEMORY_MIB,
          value_parser = clap::value_parser!(u32).range(i64::from(limits::BOARDS_MEMORY_MIB_LEAST)..=1_048_576))]
    pub boards_memory: u32,

    /// Directory whose fonts PDF documents are set in, instead of the system's; it is read when the first one is made
    #[arg(long, env = "TABLEHOP_FONTS", value_name = "DIRECTORY")]
    pub fonts: Option<PathBuf>,
}

/// The address under which a peer is counted: a network of 64 bits is one guest's.
pub fn counted(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            let network = u128::from(ip) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        ip => ip,
    }
}

/// When the QR code is drawn in the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum QrWhen {
    /// If somebody is looking: standard output is a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, for collectors
    Json,
}

impl fmt::Display for QrWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl Config {
    /// The defaults of the command line, on `listen` and `data`: for starting a server within another program.
    pub fn new(listen: SocketAddr, data: PathBuf) -> Self {
        Self {
            listen,
            data,
            public_url: None,
            allow_origin: Vec::new(),
            open: false,
            qr: QrWhen::Auto,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            trusted_proxy: false,
            public_metrics: false,
            join_limit: limits::JOINS_PER_ADDRESS,
            wrong_code_limit: limits::WRONG_CODES_PER_ADDRESS,
            create_limit: limits::CREATIONS_PER_ADDRESS,
            request_limit: limits::REQUESTS_PER_ADDRESS,
            connection_limit: limits::CONNECTIONS_PER_ADDRESS,
            head_seconds: limits::HEAD_SECONDS,
            token_days: limits::TOKEN_DAYS,
            boards_memory: limits::BOARDS_MEMORY_MIB,
            fonts: None,
        }
    }

    /// How long a token is good for; for ever if there is nothing.
    pub fn token_lifetime(&self) -> Option<Duration> {
        (self.token_days > 0).then(|| Duration::from_secs(u64::from(self.token_days) * 86_400))
    }

    /// Bytes of memory that all boards may take together.
    pub fn boards_bytes(&self) -> usize {
        usize::try_from(u64::from(self.boards_memory) << 20).unwrap_or(usize::MAX)
    }

    /// Where guests reach this server, without a slash at the end: `--public-url`, or this machine's address as others see it.
    pub fn public_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.clone(),
            None => self.origin_at(self.own_address()),
        }
    }

    /// Where links for guests lead when somebody asked through the host `host` (the `Host` header): the same address if it is
    /// one that others can reach, so that on a machine with several networks guests get the one the facilitator is on.
    pub fn url_for_guests(&self, host: Option<&str>) -> String {
        if self.public_url.is_none()
            && let Some(host) = host
        {
            let origin = format!("http://{}", host.to_ascii_lowercase());
            let of_this_machine = self.lan_addresses().into_iter().any(|ip| self.origin_at(ip) == origin);
            if of_this_machine {
                return origin;
            }
        }
        self.public_url()
    }

    /// The start page as this machine itself reaches it, also where no network is.
    pub fn local_url(&self) -> String {
        if self.listen.ip().is_unspecified() {
            format!("http://localhost{}", self.port_suffix())
        } else {
            self.origin_at(self.listen.ip())
        }
    }

    /// Every origin whose pages may call this server: the public address, those given by `--allow-origin`, this machine's names
    /// and its addresses on the local networks.
    pub fn allowed_origins(&self) -> Vec<String> {
        let port = self.port_suffix();
        let mut origins: Vec<String> = self.public_url.iter().chain(&self.allow_origin).cloned().collect();
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            origins.push(format!("http://{name}{port}"));
        }
        if let Some(name) = host_name() {
            origins.push(format!("http://{name}{port}"));
            origins.push(format!("http://{name}.local{port}"));
        }
        if !self.listen.ip().is_unspecified() {
            origins.push(self.origin_at(self.listen.ip()));
        }
        origins.extend(self.lan_addresses().into_iter().map(|ip| self.origin_at(ip)));
        origins
    }

    /// Whether pages from `origin` (the `Origin` header) may call this server. Looks at the networks anew each time: a laptop may
    /// have joined the room's wifi after the server was started.
    pub fn allows_origin(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        self.allowed_origins().contains(&origin)
    }

    /// The address a request comes from, for rate limits. Behind a trusted proxy it is the last entry of `X-Forwarded-For`, the
    /// one that the proxy itself wrote; IPv6 is cut to its network, of which one guest may have every address.
    pub fn client_address(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let forwarded = || {
            let value = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
            value.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
        };
        counted(if self.trusted_proxy { forwarded().unwrap_or(peer) } else { peer })
    }

    /// HTTP connections that one address may have open. No number behind a proxy: there all of them are its own, and it bounds its guests.
    pub fn http_connection_limit(&self) -> Option<u32> {
        (!self.trusted_proxy).then_some(self.connection_limit)
    }

    fn own_address(&self) -> IpAddr {
        let ip = self.listen.ip();
        if !ip.is_unspecified() {
            return ip;
        }
        // The address of the default route; in a room without internet there is none, then the first on any network.
        local_ip_address::local_ip()
            .ok()
            .filter(|ip| !ip.is_loopback())
            .or_else(|| self.lan_addresses().into_iter().next())
            .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// This machine's addresses on its networks, those of virtual ones last.
    fn lan_addresses(&self) -> Vec<IpAddr> {
        if !self.listen.ip().is_unspecified() {
            return vec![self.listen.ip()].into_iter().filter(|ip| !ip.is_loopback()).collect();
        }
        let mut found = local_ip_address::list_afinet_netifas().unwrap_or_default();
        found.retain(|(_, ip)| match ip {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
            IpAddr::V6(ip) => self.listen.is_ipv6() && !ip.is_loopback() && !ip.is_unicast_link_local(),
        });
        let is_virtual =
            |name: &str| ["docker", "br-", "veth", "virbr", "vmnet", "tun", "tap"].iter().any(|v| name.starts_with(v));
        found.sort_by_key(|(name, ip)| (is_virtual(name), ip.is_ipv6()));
        found.into_iter().map(|(_, ip)| ip).collect()
    }

    fn origin_at(&self, ip: IpAddr) -> String {
        match ip {
            IpAddr::V4(ip) => format!("http://{ip}{}", self.port_suffix()),
            IpAddr::V6(ip) => format!("http://[{ip}]{}", self.port_suffix()),
        }
    }

    /// Browsers leave the default port out of an origin.
    fn port_suffix(&self) -> String {
        if self.listen.port() == 80 { String::new() } else { format!(":{}", self.listen.port()) }
    }
}

/// Reads `http(s)://host[:port]`, without a path, in the form in which browsers name an origin.
fn parse_origin(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, host) = text.split_once("://").ok_or("start it with http:// or https://")?;
    if scheme != "http" && scheme != "https" {
        return Err("start it with http:// or https://".to_owned());
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if host.is_empty() || !host.chars().all(is_allowed) {
        return Err(
            "give a host and perhaps a port, without a path: https://cafe.example.com or http://192.168.1.5:8080"
                .to_owned(),
        );
    }
    let default_port = if scheme == "http" { ":80" } else { ":443" };
    Ok(format!("{scheme}://{}", host.strip_suffix(default_port).unwrap_or(host)))
}

/// This machine's name, if it is one that can stand in a URL.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .or_else(|| std::env::var("HOSTNAME").ok())?;
    let name = name.trim().trim_end_matches(".local").to_ascii_lowercase();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    is_name.then_some(name)
}

/// A bound that tests of the real program make smaller through its environment, to reach what otherwise takes hours.
pub(crate) fn for_tests(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok().filter(|bound| *bound > 0)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        config: Config,
    }

    fn config(args: &[&str]) -> Config {
        Line::try_parse_from([&["tablehop"], args].concat()).map(|line| line.config).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn defaults_are_those_of_a_server_started_in_process() {
        let line = config(&["--listen", "127.0.0.1:0"]);
        let new = Config::new(line.listen, line.data.clone());
        assert_eq!(format!("{line:?}"), format!("{new:?}"));
    }

    #[test]
    fn the_public_url_is_an_origin() {
        for (given, kept) in [
            ("https://Cafe.example.com/", "https://cafe.example.com"),
            ("http://192.168.1.5:8080", "http://192.168.1.5:8080"),
            ("https://cafe.example.com:443", "https://cafe.example.com"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(config(&["--public-url", given]).public_url(), kept);
        }
        for bad in
            ["cafe.example.com", "ftp://cafe", "https://", "https://cafe.example.com/a", "https://a b", "https://u@h"]
        {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn own_names_may_call_and_foreign_ones_may_not() {
        let config = config(&[
            "--listen",
            "127.0.0.1:8123",
            "--public-url",
            "https://cafe.example.com",
            "--allow-origin",
            "https://a.example,https://b.example",
        ]);
        for good in [
            "http://localhost:8123",
            "http://127.0.0.1:8123",
            "http://[::1]:8123",
            "https://cafe.example.com",
            "https://B.example",
        ] {
            assert!(config.allows_origin(good), "{good}");
        }
        for bad in ["http://localhost:8124", "https://localhost:8123", "https://evil.example", "null", ""] {
            assert!(!config.allows_origin(bad), "{bad}");
        }
    }

    #[test]
    fn the_default_port_is_left_out() {
        let config = config(&["--listen", "127.0.0.1:80"]);
        assert_eq!(config.public_url(), "http://127.0.0.1");
        assert!(config.allows_origin("http://localhost"));
    }

    #[test]
    fn only_a_trusted_proxy_speaks_for_others() {
        let peer = IpAddr::from([10, 0, 0, 1]);
        let headers: HeaderMap =
            [("x-forwarded-for".parse().expect("a name"), "1.1.1.1, 2.2.2.2".parse().expect("a value"))]
                .into_iter()
                .collect();
        assert_eq!(config(&[]).client_address(&headers, peer), peer);
        let behind = config(&["--trusted-proxy"]);
        assert_eq!(behind.client_address(&headers, peer), IpAddr::from([2, 2, 2, 2]));
        assert_eq!(behind.client_address(&HeaderMap::new(), peer), peer);
    }

    #[test]
    fn one_ipv6_network_is_one_guest() {
        let address = |text: &str| config(&[]).client_address(&HeaderMap::new(), text.parse().expect("an address"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), IpAddr::from([10, 0, 0, 1]));
        assert!(address("::1").is_loopback());
    }
}
