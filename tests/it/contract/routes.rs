//! Which paths and methods are there, and what do the others answer?

use silenced::memory::Version;

use super::kind::Kind;
use super::server::{SILENCES, Server, UNKNOWN_ID};
use super::{ALERTMANAGER, EVERYBODY};

super::cases![
    EVERYBODY => [
        the_list_is_json,
        unknown_ids_are_404,
        a_parameter_of_the_type_is_let_pass,
        status_tells_the_version_and_the_peers,
    ],
    ALERTMANAGER => [
        probes_answer,
        a_slash_at_the_end_is_let_pass,
        other_methods_are_405_and_name_the_allowed,
        unknown_paths_are_404,
        api_v1_is_gone,
        the_singular_path_takes_uuids_only,
        a_body_must_be_json_by_its_header,
        without_a_body_the_client_must_accept_json,
        with_a_body_it_does_not_matter_what_the_client_accepts,
        answers_of_the_api_are_not_to_be_cached,
    ],
];

async fn probes_answer(server: Server) {
    for path in ["/-/ready", "/-/healthy"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{path}");
        assert_eq!(server.request("HEAD", path).await.status, 200);
        assert_eq!(server.request("POST", path).await.status, 405);
    }
}

async fn the_list_is_json(server: Server) {
    let list = server.get(SILENCES).await;
    assert_eq!(list.status, 200);
    assert_eq!(list.header("content-type"), Some("application/json"));
    assert!(list.json().is_array());
}

async fn a_slash_at_the_end_is_let_pass(server: Server) {
    let id = server.put(&server.silence_of("slash")).await;
    for path in [
        format!("{SILENCES}/"),
        format!("/api/v2/silence/{id}/"),
        "/api/v2/status/".to_owned(),
    ] {
        assert_eq!(server.get(&path).await.status, 200, "{path}");
    }
    let json = [("content-type", "application/json")];
    let body = server.silence_of("slash").to_string();
    let path = format!("{SILENCES}/");
    let posted = server.send("POST", &path, &json, body).await.unwrap();
    posted.accepted();
}

async fn other_methods_are_405_and_name_the_allowed(server: Server) {
    let one = format!("/api/v2/silence/{UNKNOWN_ID}");
    for (path, methods, allowed) in [
        (SILENCES, ["PUT", "DELETE", "PATCH"], ["GET", "POST"]),
        (&one, ["PUT", "POST", "PATCH"], ["GET", "DELETE"]),
        ("/api/v2/status", ["PUT", "POST", "DELETE"], ["GET", "GET"]),
    ] {
        for method in methods {
            let answer = server.request(method, path).await;
            answer.refused_with_object(405, 405, &format!("method {method} is not allowed"));
            let allow = answer.header("allow").unwrap();
            assert!(
                allowed.iter().all(|method| allow.contains(method)),
                "{allow}"
            );
        }
    }
    let head = server.request("HEAD", SILENCES).await;
    assert_eq!((head.status, head.body.as_str()), (405, ""));
}

async fn unknown_paths_are_404(server: Server) {
    for path in ["/api/v2/nope", "/api/v2/silence", "/api/v2/silence/"] {
        let answer = server.get(path).await;
        answer.refused_with_object(404, 404, &format!("path {path} was not found"));
    }
    let outside = server.get("/nope").await;
    assert_eq!(outside.status, 404);
    assert_eq!(outside.body, "404 page not found\n");
}

async fn api_v1_is_gone(server: Server) {
    if server.is_since(Version::V0_28) {
        let answer = server.get("/api/v1/silences").await;
        assert_eq!(answer.status, 410);
        assert_eq!(answer.json()["status"], "deprecated");
    }
}

async fn the_singular_path_takes_uuids_only(server: Server) {
    for method in ["GET", "DELETE"] {
        for id in [
            "foo",
            "00000000-0000-0000-0000-00000000000",
            "0000000g000000000000000000000000",
        ] {
            let answer = server
                .request(method, &format!("/api/v2/silence/{id}"))
                .await;
            let message = format!("silenceID in path must be of type uuid: \"{id}\"");
            answer.refused_with_object(422, 601, &message);
        }
    }
    let decorated = format!("/api/v2/silence/urn:uuid:{UNKNOWN_ID}");
    let known = server.is_since(Version::V0_28);
    assert_eq!(
        server.get(&decorated).await.status,
        if known { 404 } else { 422 }
    );
}

async fn unknown_ids_are_404(server: Server) {
    let id = server.put(&server.silence_of("spelling")).await;
    // Another spelling of a known id is another id.
    let (upper, bare) = (id.to_uppercase(), id.replace('-', ""));
    for id in [UNKNOWN_ID, &upper, &bare] {
        let got = server.get(&format!("/api/v2/silence/{id}")).await;
        got.found_nothing();
        let deleted = server.delete(id).await;
        if server.is_since(Version::V0_28) {
            deleted.found_nothing();
        } else if server.kind.is_in_grafana() {
            deleted.refused_by_grafana(500, None, "silence not found");
        } else {
            deleted.refused_with_text(500, "silence not found");
        }
    }
    assert_eq!(server.state(&id).await, "active");
}

async fn a_parameter_of_the_type_is_let_pass(server: Server) {
    let json = [("content-type", "application/json; charset=utf-8")];
    let body = server.silence_of("charset").to_string();
    let answer = server.send("POST", SILENCES, &json, body).await.unwrap();
    answer.accepted();
}

async fn a_body_must_be_json_by_its_header(server: Server) {
    for (written, expected) in [
        (Some("application/json"), 200),
        (Some("application/json; charset=utf-8"), 200),
        (Some("Application/JSON"), 200),
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("application/problem+json"), 415),
        (Some(""), 415),
        (None, 415),
    ] {
        let headers: Vec<_> = written
            .map(|media| ("content-type", media))
            .into_iter()
            .collect();
        let body = server.silence_of("type").to_string();
        let answer = server.send("POST", SILENCES, &headers, body).await.unwrap();
        if expected == 200 {
            answer.accepted();
        } else {
            answer.refused_with_object(415, 415, "only [application/json] are allowed");
        }
    }
    let text = [("content-type", "text/plain")];
    let path = format!("/api/v2/silence/{UNKNOWN_ID}");
    let deleted = server.send("DELETE", &path, &text, "x").await.unwrap();
    assert_eq!(deleted.status, 415, "a body of DELETE too");
    assert_eq!(
        server
            .send("GET", SILENCES, &text, "")
            .await
            .unwrap()
            .status,
        200
    );
}

async fn without_a_body_the_client_must_accept_json(server: Server) {
    let empty = if server.is_since(Version::V0_33) {
        406
    } else {
        200
    };
    for (accept, expected) in [
        ("application/json", 200),
        ("application/*", 200),
        ("*/*", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/json; charset=utf-8", 200),
        ("", empty),
        ("text/html,application/xhtml+xml", 406),
        ("text/*", 406),
        ("application/json;q=0", 406),
        ("garbage", 406),
    ] {
        let headers = [("accept", accept)];
        for path in [SILENCES, "/api/v2/status"] {
            let answer = server.send("GET", path, &headers, "").await.unwrap();
            assert_eq!(answer.status, expected, "{accept}");
            if expected == 406 {
                answer.refused_with_object(406, 406, "only [application/json] are available");
            }
        }
    }
    let text = [("accept", "text/plain")];
    let not_a_uuid = server.send("GET", "/api/v2/silence/x", &text, "").await;
    assert_eq!(not_a_uuid.unwrap().status, 406, "comes before the id");
}

/// The fact that surprised: such a POST is carried out.
async fn with_a_body_it_does_not_matter_what_the_client_accepts(server: Server) {
    let headers = [
        ("content-type", "application/json"),
        ("accept", "text/plain"),
    ];
    let body = server.silence_of("accept").to_string();
    let answer = server.send("POST", SILENCES, &headers, body).await.unwrap();
    assert_eq!(server.state(&answer.accepted()).await, "active");
}

async fn answers_of_the_api_are_not_to_be_cached(server: Server) {
    let expected = server.is_since(Version::V0_28).then_some("no-store");
    for path in [SILENCES, "/api/v2/status", "/api/v2/nope"] {
        assert_eq!(server.get(path).await.header("cache-control"), expected);
    }
}

async fn status_tells_the_version_and_the_peers(server: Server) {
    let status = server.get("/api/v2/status").await.json();
    let version = status["versionInfo"]["version"].as_str().unwrap();
    let expected = match server.version {
        // Grafana does not tell (`NewGettableStatus`,
        // pkg/services/ngalert/api/tooling/definitions/alertmanager.go).
        _ if server.kind == Kind::Grafana => "N/A",
        // The others of a shared server's kind pass for the release before them.
        _ if server.is_shared() => "",
        Version::V0_25 => "0.25.",
        Version::V0_28 => "0.28.",
        // The newest is whatever it is by now.
        Version::V0_33 => "0.",
    };
    assert!(version.starts_with(expected), "{version}");
    // Mimir's replicas and Grafana's instances show no peers.
    let cluster = &status["cluster"];
    let peers = cluster["peers"].as_array().map_or(0, Vec::len);
    assert_eq!(peers, server.peers);
    if matches!(server.kind, Kind::Alertmanager | Kind::GrafanaDataSource) {
        let expected = if peers == 0 { "disabled" } else { "ready" };
        assert_eq!(cluster["status"], expected);
        assert!(status["config"]["original"].is_string());
        assert!(status["uptime"].is_string());
    }
}
