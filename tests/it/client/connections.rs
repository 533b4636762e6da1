//! Which clients share connections?

use std::fs;
use std::path::PathBuf;

use silenced::alertmanager::{Client, ClientSettings, Connections, Proxy, SilenceApi, TlsSettings};

use crate::support::certificates::Certificates;
use crate::support::raw_server::{RawServer, Reply};

fn trusting(url: &str, ca_file: Option<PathBuf>) -> ClientSettings {
    ClientSettings {
        tls: TlsSettings {
            ca_file,
            ..TlsSettings::default()
        },
        ..ClientSettings::new(url)
    }
}

#[tokio::test]
async fn those_that_differ_in_nothing_but_the_server() {
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    let plain = format!("http://{}", server.address());
    let connections = Connections::new([&*plain]);
    let make = |settings| Client::sharing(&connections, &settings).unwrap();
    let clients: Vec<Client> = ["/a", "/b", "/c"]
        .map(|path| make(ClientSettings::new(format!("{plain}{path}"))))
        .into();
    assert_eq!(connections.count(), 0, "nothing before it is needed");
    for client in &clients {
        client.list().await.unwrap();
    }
    assert_eq!(connections.count(), 1);

    // A server can play the proxy to itself.
    let proxied = make(ClientSettings {
        proxy: Proxy::Url {
            url: plain.clone(),
            no_proxy: String::new(),
        },
        ..ClientSettings::new(plain)
    });
    proxied.list().await.unwrap();
    assert_eq!(connections.count(), 2);
    drop(clients);
    assert_eq!(connections.count(), 1);
}

#[tokio::test]
async fn those_that_trust_the_same_certificates_whatever_file_they_are_in() {
    let directory = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| directory.path().join(name));
    let first = fs::read(Certificates::new().ca_file()).unwrap();
    let second = fs::read(Certificates::new().ca_file()).unwrap();
    for file in &files {
        fs::write(file, &first).unwrap();
    }
    // That it is no TLS server is found after the files are read.
    let server = RawServer::start(Reply::http("400 Bad Request", "")).await;
    let url = format!("https://{}", server.address());
    let connections = Connections::new([&*url]);
    let clients = files
        .clone()
        .map(|file| Client::sharing(&connections, &trusting(&url, Some(file))).unwrap());
    let ask = async |expected: usize| {
        for client in &clients {
            client.list().await.unwrap_err();
        }
        assert_eq!(connections.count(), expected);
    };
    ask(1).await;
    fs::write(&files[0], &second).unwrap();
    ask(2).await;
    // The authority before is dropped with the last one that trusted it.
    fs::write(&files[1], &second).unwrap();
    ask(1).await;
}

/// Lists of many servers would leave more connections than files may be open.
#[tokio::test]
async fn those_to_many_servers_are_closed_after_a_list() {
    let server = RawServer::start(Reply::json("200 OK", "[]")).await;
    let url = format!("http://{}", server.address());
    let many: Vec<String> = (0..65)
        .map(|number| format!("http://am-{number}"))
        .collect();
    let few = Connections::new([&*url]);
    let many = Connections::new(many.iter().map(String::as_str));
    for connections in [few, many] {
        let client = Client::sharing(&connections, &ClientSettings::new(&*url)).unwrap();
        client.list().await.unwrap();
    }
    let requests = server.requests();
    let closes: Vec<bool> = requests
        .iter()
        .map(|request| request.to_lowercase().contains("connection: close"))
        .collect();
    assert_eq!(closes, [false, true]);
}
