//! What do we say to what stands before a server? An Alertmanager behind nginx,
//! as people run it, and as it breaks.

use std::fs;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::cli::{NIGHTLY, directory, finish, silenced};
use crate::support::alertmanager::{Alertmanager, Options, Release};
use crate::support::certificates::Certificates;
use crate::support::nginx::Nginx;

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
            ("silences/nightly.yaml", NIGHTLY),
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
        text.replace(self.nginx.address(), "PROXY")
            .replace(&path.display().to_string(), "DIRECTORY")
    }

    /// How many silences are there, whatever the way to them.
    fn silences(&self) -> usize {
        let list = finish(
            std::process::Command::new(Release::Newest.amtool())
                .args(["silence", "query", "-q", "--alertmanager.url"])
                .arg(self.alertmanager.base_url()),
        );
        list.stdout.lines().count()
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

#[test]
fn a_prefix_is_kept_and_a_missing_one_is_said() {
    let prefix = "location /team/alertmanager/ { proxy_pass http://UPSTREAM/; }";
    let setup = |url| Setup::new("", prefix, url, &[]);
    setup("url: 'http://ADDRESS/team/alertmanager'").converges();
    setup("url: 'http://ADDRESS/team/alertmanager/'").converges();
    setup("url: 'http://ADDRESS'").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `404 Not Found` with `<html> <head><title>404 Not Found</title></head> <body> <center><h1>404 Not Found</h1></center> <hr><center>nginx/1.22.1</center> </body> </html>`; check the URL of this target: `/api/v2/silences` must lie below it, with any path prefix
        exit 1"#]]);
}

#[test]
fn basic_authentication_lets_in_who_knows_the_password() {
    let passwords = directory(&[("htpasswd", "ann:{PLAIN}s3cret\n")]);
    let server = format!(
        "auth_basic x; auth_basic_user_file {}/htpasswd; {PASS}",
        passwords.path().display()
    );
    let setup = |target, password| Setup::new("", &server, target, &[("password", password)]);
    let with = "url: 'http://ADDRESS', basic_auth: {username: ann, password_file: password}";
    setup(with, "s3cret\n").converges();
    setup(with, "guess\n").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `401 Unauthorized` with `<html> <head><title>401 Authorization Required</title></head> <body> <center><h1>401 Authorization Required</h1></center> <hr><center>nginx/1.22.1</center> </body> </html>`; check the credentials of this target and that they may read and write silences
        exit 1"#]]);
    setup("url: 'http://ADDRESS'", "s3cret\n").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `401 Unauthorized` with `<html> <head><title>401 Authorization Required</title></head> <body> <center><h1>401 Authorization Required</h1></center> <hr><center>nginx/1.22.1</center> </body> </html>`; no credentials are configured for this target: add `bearer_token_file`, `basic_auth` or `oauth2`
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
        error: main: `GET https://PROXY/api/v2/silences`: the server's certificate is not trusted: error sending request: client error (Connect): error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (unable to get local issuer certificate); nothing was sent: the name in the URL must be one of the certificate's, and its authority one that this machine trusts, or the one in `tls.ca_file`
        exit 1"#]]);
    setup("url: 'http://ADDRESS'").fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `400 Bad Request` with `<html> <head><title>400 The plain HTTP request was sent to HTTPS port</title></head> <body> <center><h1>400 Bad Request</h1></center> <center>The plain HTTP request was sent to HTTPS port</center> <hr…`; the port expects TLS: write `https://` in the URL of this target
        exit 1"#]]);
}

#[test]
fn a_gateway_without_a_server_is_an_error_and_no_empty_list() {
    let server = "location / { proxy_pass http://127.0.0.1:1; }";
    Setup::new("", server, "url: 'http://ADDRESS'", &[]).fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `502 Bad Gateway` with `<html> <head><title>502 Bad Gateway</title></head> <body> <center><h1>502 Bad Gateway</h1></center> <hr><center>nginx/1.22.1</center> </body> </html>`; nothing was changed: it is asked again in the next pass
        exit 1"#]]);
}

#[test]
fn too_many_requests_are_an_error_and_no_empty_list() {
    let server = "location / { return 429; }";
    Setup::new("", server, "url: 'http://ADDRESS'", &[]).fails(&expect![[r#"
        error: main: `GET http://PROXY/api/v2/silences`: answered `429 Too Many Requests` with `<html> <head><title>429 Too Many Requests</title></head> <body> <center><h1>429 Too Many Requests</h1></center> <hr><center>nginx/1.22.1</center> </body> </html>`; nothing happened: it is tried again later
        exit 1"#]]);
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
        error: main: `GET http://PROXY/api/v2/silences`: no complete answer within 1s: error sending request: operation timed out; nothing was changed: it is asked again in the next pass
        exit 1"#]]);
}
