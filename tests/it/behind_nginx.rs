//! What do we say to what stands before a server? An Alertmanager behind nginx,
//! as people run it, and as it breaks.

use std::fs;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::cli::{directory, finish, silenced};
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::certificates::Certificates;
use crate::support::nginx::Nginx;

/// One silence at any time of any day.
const ONE: &str = "\
owner: automation
silences:
  - {name: known-defect, comment: c, matchers: [job=known], schedule: always}
";

/// An Alertmanager, and a proxy before it.
struct Setup {
    alertmanager: Alertmanager,
    nginx: Nginx,
    installation: TempDir,
}

impl Setup {
    /// `around` and `server` are nginx's, with `UPSTREAM` for the Alertmanager's
    /// address; `target` is the target's keys but for its name, with `ADDRESS`
    /// for nginx's, and `files` are beside the configuration.
    fn new(around: &str, server: &str, target: &str, files: &[(&str, &str)]) -> Self {
        let alertmanager = Alertmanager::start(Release::Newest, &Options::default());
        let complete = |text: &str| text.replace("UPSTREAM", alertmanager.address());
        let nginx = Nginx::start(
            &complete(around),
            &format!("listen ADDRESS;\n{}", complete(server)),
        );
        let target = target.replace("ADDRESS", nginx.address());
        let configuration = format!(
            "instance: lab\nsource: {{directory: silences}}\ntargets: [{{name: main, {target}}}]\n"
        );
        let mut all = vec![
            ("silenced.yaml", configuration.as_str()),
            ("silences/one.yaml", ONE),
        ];
        all.extend(files);
        Self {
            installation: directory(&all),
            nginx,
            alertmanager,
        }
    }

    /// What `silenced apply` says, and its exit code.
    fn apply(&self) -> String {
        let path = self.installation.path();
        let configuration = path.join("silenced.yaml");
        let finished = finish(silenced().args(["apply", "--config"]).arg(configuration));
        let code = finished.code.unwrap();
        let text = format!("{}exit {code}", finished.stderr);
        without_lines_of_openssl(&text)
            .replace(self.nginx.address(), "PROXY")
            .replace(&path.display().to_string(), "DIRECTORY")
    }

    /// How many silences are there, whatever the way to them.
    fn silences(&self) -> usize {
        let ids = self.alertmanager.amtool(&["silence", "query", "-q"]);
        ids.lines().count()
    }

    #[track_caller]
    fn converges(&self) {
        assert_eq!(self.apply(), "exit 0");
        assert_eq!(self.silences(), 1);
    }

    #[track_caller]
    fn fails(&self, expected: &Expect) {
        expected.assert_eq(&self.apply());
        assert_eq!(self.silences(), 0);
    }
}

const PASS: &str = "location / { proxy_pass http://UPSTREAM; }";

/// OpenSSL tells a line of its source, which moves with every update of it.
fn without_lines_of_openssl(text: &str) -> String {
    let mut parts = text.split(".c:");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
        told.extend([".c:LINE", rest]);
    }
    told
}

#[test]
fn a_prefix_is_kept_and_a_missing_one_is_said() {
    let prefix = "location /team/alertmanager/ { proxy_pass http://UPSTREAM/; }";
    let setup = |url| Setup::new("", prefix, url, &[]);
    setup("url: 'http://ADDRESS/team/alertmanager'").converges();
    setup("url: 'http://ADDRESS/team/alertmanager/'").converges();
    setup("url: 'http://ADDRESS'").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `404 Not Found` with the web page `404 Not Found`; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix
        exit 1"#]]);
}

#[test]
fn basic_authentication_lets_in_who_knows_the_password() {
    let passwords = directory(&[("htpasswd", "ann:{PLAIN}s3cret\n")]);
    let server = format!(
        "auth_basic x; auth_basic_user_file \"{}/htpasswd\"; {PASS}",
        passwords.path().display()
    );
    let setup = |target, password| Setup::new("", &server, target, &[("password", password)]);
    let with = "url: 'http://ADDRESS', basic_auth: {username: ann, password_file: password}";
    setup(with, "s3cret\n").converges();
    setup(with, "guess\n").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `401 Unauthorized` with the web page `401 Authorization Required`; check the credentials of this target and that they may read and write silences
        exit 1"#]]);
    setup("url: 'http://ADDRESS'", "s3cret\n").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `401 Unauthorized` with the web page `401 Authorization Required`; no credentials are configured for this target: add `bearer_token_file`, `basic_auth` or `oauth2`
        exit 1"#]]);
}

#[test]
fn tls_is_trusted_by_the_private_authority_alone() {
    let certificates = Certificates::new();
    let around = certificates.nginx();
    let server = format!("ssl on; {PASS}");
    let authority = fs::read_to_string(certificates.ca_file()).unwrap();
    let setup = |target| Setup::new(&around, &server, target, &[("ca.pem", &authority)]);
    setup("url: 'https://ADDRESS', tls: {ca_file: ca.pem}").converges();
    setup("url: 'https://ADDRESS'").fails(&expect![[r#"
        error: main: `GET https://PROXY/api/v2/silences`: the server's certificate is not trusted: error sending request: client error (Connect): error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:LINE: (unable to get local issuer certificate); nothing was sent: the name in the URL must be one of the certificate's, and its authority one that this machine trusts, or the one in `tls.ca_file`
        exit 1"#]]);
    setup("url: 'http://ADDRESS'").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `400 Bad Request` with the web page `400 The plain HTTP request was sent to HTTPS port`; the port expects TLS: write `https://` in the URL of this target
        exit 1"#]]);
}

#[test]
fn a_client_certificate_is_shown_to_whoever_asks_for_one() {
    let certificates = Certificates::new();
    let (certificate, key) = certificates.sign("client", &["-newkey", "rsa:2048"]);
    let server = format!(
        "ssl on; ssl_verify_client on; ssl_client_certificate \"{}\"; {PASS}",
        certificates.ca_file().display()
    );
    let [authority, certificate, key] =
        [&certificates.ca_file(), &certificate, &key].map(|file| fs::read_to_string(file).unwrap());
    let files = [
        ("ca.pem", authority.as_str()),
        ("client.pem", &certificate),
        ("client.key", &key),
    ];
    let setup = |target| Setup::new(&certificates.nginx(), &server, target, &files);
    setup(
        "url: 'https://ADDRESS', \
         tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}",
    )
    .converges();
    setup("url: 'https://ADDRESS', tls: {ca_file: ca.pem}").fails(&expect![[r#"
        error: main: `GET https://PROXY/api/v2/silences`: answered `400 Bad Request` with the web page `400 No required SSL certificate was sent`; the server asks for a client certificate that it trusts: name it and its key in `tls.cert_file` and `tls.key_file` of this target
        exit 1"#]]);
    setup("url: 'https://ADDRESS', tls: {ca_file: ca.pem, cert_file: client.pem}")
        .fails(&expect![[r#"
            error: DIRECTORY/silenced.yaml:3:11: targets[0]: the key `tls.key_file` is missing: a client certificate has both
            exit 64"#]]);
}

#[test]
fn a_gateway_without_a_server_is_an_error_and_no_empty_list() {
    let server = "location / { proxy_pass http://127.0.0.1:1; }";
    Setup::new("", server, "url: 'http://ADDRESS'", &[]).fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `502 Bad Gateway` with the web page `502 Bad Gateway`; nothing was changed: it is asked again in the next pass
        exit 1"#]]);
}

#[test]
fn too_many_requests_are_an_error_and_no_empty_list() {
    let server = "location / { return 429; }";
    Setup::new("", server, "url: 'http://ADDRESS'", &[]).fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `429 Too Many Requests` with the web page `429 Too Many Requests`; nothing happened: it is tried again later
        exit 1"#]]);
}

#[test]
fn writes_wait_until_a_rate_limit_lets_them_through() {
    let around = "limit_req_zone $request_method zone=writes:1m rate=2r/s; limit_req_status 429;";
    let setup = Setup::new(
        around,
        &format!("limit_req zone=writes; {PASS}"),
        "url: 'http://ADDRESS'",
        &[],
    );
    let silence = |name: &str| {
        format!(
            "- {{name: {name}, comment: c, matchers: [job={name}], \
             schedule: always}}\n"
        )
    };
    let text = ["a", "b", "c", "d"].map(silence).concat();
    let file = setup.installation.path().join("silences/four.yaml");
    fs::write(file, format!("owner: o\nsilences:\n{text}")).unwrap();
    assert_eq!(setup.apply(), "exit 0");
    assert_eq!(setup.silences(), 5);
}

#[test]
fn login_pages_are_no_lists() {
    let page = "location / { default_type text/html; return 200 '<html>Sign in</html>'; }";
    Setup::new("", page, "url: 'http://ADDRESS'", &[]).fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `200 OK` with `<html>Sign in</html>`, which is `text/html` instead of JSON; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix
        exit 1"#]]);
    let redirect = "location / { return 302 https://login.example/?session=1; }";
    Setup::new("", redirect, "url: 'http://ADDRESS'", &[]).fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `302 Found`, a redirect to `https://login.example/`; redirects are not followed, for they would carry the credentials elsewhere: configure the final URL, or credentials that need no login page
        exit 1"#]]);
}

#[test]
fn a_slow_body_is_given_up_in_time() {
    let server = "location / { limit_rate 20; default_type application/json; return 200 \
        '[{\"id\": \"1\", \"comment\": \"this is longer than what one second of the rate lets through\"}]'; }";
    Setup::new("", server, "url: 'http://ADDRESS', timeout: 1s", &[]).fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: no complete answer within 1s; nothing was changed: it is asked again in the next pass
        exit 1"#]]);
}
