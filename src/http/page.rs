//! The live page: a few files built into the program, nothing fetched from elsewhere.

use axum::{
    Router,
    http::{HeaderName, header},
    response::IntoResponse,
    routing::get,
};

/// Nothing but what this server serves may be loaded or contacted.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of the page.
#[derive(Debug, Clone, Copy)]
struct File {
    path: &'static str,
    kind: &'static str,
    body: &'static str,
}

const FILES: [File; 9] = [
    File { path: "/", kind: HTML, body: include_str!("page/page.html") },
    File { path: "/page.css", kind: CSS, body: include_str!("page/page.css") },
    File { path: "/page.js", kind: SCRIPT, body: include_str!("page/page.js") },
    File { path: "/card.js", kind: SCRIPT, body: include_str!("page/card.js") },
    File { path: "/chart.js", kind: SCRIPT, body: include_str!("page/chart.js") },
    File { path: "/steering.js", kind: SCRIPT, body: include_str!("page/steering.js") },
    File { path: "/strip.js", kind: SCRIPT, body: include_str!("page/strip.js") },
    File { path: "/system.js", kind: SCRIPT, body: include_str!("page/system.js") },
    File { path: "/words.js", kind: SCRIPT, body: include_str!("page/words.js") },
];

/// The routes of the page's files.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.into_iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(move || async move { file.answer() }))
    })
}

impl File {
    fn answer(self) -> impl IntoResponse {
        const NO_SNIFF: HeaderName = header::X_CONTENT_TYPE_OPTIONS;
        let headers = [
            (header::CONTENT_TYPE, self.kind),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (NO_SNIFF, "nosniff"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `attribute="…"` and the like in the page's files.
    fn quoted_after<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
        text.split(start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn the_page_is_light() {
        let weight: usize = FILES.iter().map(|file| file.body.len()).sum();
        assert!(weight < 60_000, "{weight} bytes");
    }

    #[test]
    fn all_that_the_page_loads_is_served() {
        let mut wanted = 0;
        for file in FILES {
            for start in ["src=\"", "rel=\"stylesheet\" href=\"", "from \"./"] {
                for name in quoted_after(file.body, start) {
                    let path = format!("/{name}");
                    assert!(FILES.iter().any(|file| file.path == path), "{path} is not served");
                    wanted += 1;
                }
            }
        }
        // The script, the style sheet and the imports; none if the patterns fit no more.
        assert!(wanted >= FILES.len() - 1, "{wanted} found");
    }

    #[test]
    fn nothing_in_the_page_needs_a_weaker_policy() {
        assert!(!POLICY.contains("unsafe"));
        for file in FILES {
            for bad in ["<style", " style=\"", " onclick", " onload", "eval(", "innerHTML"] {
                assert!(!file.body.contains(bad), "{bad} in {}", file.path);
            }
        }
    }
}
