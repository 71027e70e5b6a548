//! What the environment says of the hub and of the user's own models. Nothing else reads these variables,
//! the proxy's apart (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), which the HTTP client reads itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use translate::hub::{HubOptions, Token};
use translate::registry::{self, Registry};

use super::Common;

/// A variable or file that makes no sense.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no home folder to put the cache into.
    #[error("no home folder is known to keep models in; set HF_HOME to a folder")]
    NoHome,
    /// `HF_ENDPOINT` is not a web address.
    #[error("HF_ENDPOINT is {0:?}, which is no address; it begins with https:// or http://")]
    Endpoint(String),
    /// The token has characters that no token has.
    #[error(
        "the token in {0} has spaces or other characters that no token has; copy it again from your settings on the hub"
    )]
    Token(String),
    /// A time-out is not a number of seconds.
    #[error("{name} is {value:?}, which is no number of seconds above 0")]
    Seconds {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

/// The hub as the environment describes it, by the variables that Python's huggingface_hub reads: `HF_ENDPOINT`,
/// `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_DISABLE_IMPLICIT_TOKEN`,
/// `HF_HUB_OFFLINE`, `HF_HUB_DOWNLOAD_TIMEOUT`; and as the flags have it.
pub fn hub_options(common: &Common) -> Result<HubOptions, Error> {
    let options = hub_options_from(&|name| std::env::var_os(name), std::env::home_dir(), common.offline)?;
    Ok(HubOptions { accept_licence: common.accept_license, ..options })
}

/// The built-in models, then those of `translate/models.toml` in the platform's configuration folder if that file
/// exists, then those of `models_file`.
pub fn registry(models_file: Option<&Path>) -> Result<Registry, registry::Error> {
    let mut registry = Registry::builtin()?;
    let own = dirs::config_dir().map(|folder| folder.join("translate").join("models.toml"));
    for file in own.as_deref().filter(|file| file.is_file()).into_iter().chain(models_file) {
        registry.extend_from(file)?;
    }
    Ok(registry)
}

fn hub_options_from(
    variable: &dyn Fn(&str) -> Option<OsString>,
    home: Option<PathBuf>,
    offline: bool,
) -> Result<HubOptions, Error> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
    let path = |name: &str| set(name).map(|value| expand_home(PathBuf::from(value), home.as_deref()));
    let is_on = |name: &str| {
        text(name).is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "on" | "yes" | "true"))
    };

    let user_cache = path("XDG_CACHE_HOME").or_else(|| home.as_ref().map(|home| home.join(".cache")));
    let hf_home = path("HF_HOME").or_else(|| user_cache.map(|cache| cache.join("huggingface")));
    let cache = path("HF_HUB_CACHE").or_else(|| hf_home.as_ref().map(|home| home.join("hub")));

    let mut options = HubOptions::new(cache.ok_or(Error::NoHome)?);
    if let Some(endpoint) = text("HF_ENDPOINT") {
        let is_address = endpoint.starts_with("https://") || endpoint.starts_with("http://");
        if !is_address || endpoint.contains(char::is_whitespace) {
            return Err(Error::Endpoint(endpoint));
        }
        options.endpoint = endpoint.trim_end_matches('/').to_owned();
    }
    options.offline = offline || is_on("HF_HUB_OFFLINE");
    if let Some(seconds) = seconds("HF_HUB_DOWNLOAD_TIMEOUT", text("HF_HUB_DOWNLOAD_TIMEOUT"))? {
        options.read_timeout = seconds;
    }

    let token_file = path("HF_TOKEN_PATH").or_else(|| hf_home.map(|home| home.join("token")));
    let stored = || {
        let file = token_file.filter(|_| !is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN"))?;
        Some((file.display().to_string(), std::fs::read_to_string(&file).ok()?))
    };
    let token = text("HF_TOKEN").map(|token| ("HF_TOKEN".to_owned(), token)).or_else(stored);
    if let Some((origin, token)) = token {
        let token = token.trim();
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Token(origin));
        }
        options.token = (!token.is_empty()).then(|| Token::new(token));
    }
    Ok(options)
}

/// `~/folder` as Python's `expanduser` reads it.
fn expand_home(path: PathBuf, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

fn seconds(name: &'static str, value: Option<String>) -> Result<Option<Duration>, Error> {
    let Some(value) = value else { return Ok(None) };
    match value.trim().parse::<u32>() {
        Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds.into()))),
        _ => Err(Error::Seconds { name, value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(variables: &[(&str, &str)]) -> Result<HubOptions, Error> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        hub_options_from(&variable, Some(PathBuf::from("/home/reporter")), false)
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let cache = |variables: &[(&str, &str)]| options(variables).unwrap().cache;
        assert_eq!(cache(&[]), Path::new("/home/reporter/.cache/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "~/hf")]), Path::new("/home/reporter/hf/hub"));
        assert_eq!(cache(&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/cache")]), Path::new("/cache"));
        assert_eq!(cache(&[("HF_HOME", "")]), Path::new("/home/reporter/.cache/huggingface/hub"));
    }

    #[test]
    fn offline_takes_the_spellings_that_python_takes() {
        for on in ["1", "true", "YES", "On"] {
            assert!(options(&[("HF_HUB_OFFLINE", on)]).unwrap().offline, "{on}");
        }
        for off in ["0", "false", "no", ""] {
            assert!(!options(&[("HF_HUB_OFFLINE", off)]).unwrap().offline, "{off}");
        }
    }

    #[test]
    fn the_token_comes_from_the_variable_or_else_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hf_stored\n").unwrap();
        let home = folder.path().to_str().unwrap();
        let token = |more: &[(&str, &str)]| {
            options(&[&[("HF_HOME", home)], more].concat()).unwrap().token.map(|token| token.secret().to_owned())
        };
        assert_eq!(token(&[]).as_deref(), Some("hf_stored"));
        assert_eq!(token(&[("HF_TOKEN", " hf_given ")]).as_deref(), Some("hf_given"));
        assert_eq!(token(&[("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
        assert_eq!(token(&[("HF_TOKEN_PATH", "/nowhere/token")]), None);
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        assert!(matches!(options(&[("HF_ENDPOINT", "hub.example")]), Err(Error::Endpoint(_))));
        assert!(matches!(options(&[("HF_TOKEN", "two words")]), Err(Error::Token(_))));
        assert!(matches!(options(&[("HF_HUB_DOWNLOAD_TIMEOUT", "soon")]), Err(Error::Seconds { .. })));
        assert_eq!(options(&[("HF_ENDPOINT", "https://mirror.example/")]).unwrap().endpoint, "https://mirror.example");
    }
}
