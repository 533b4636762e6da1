//! In what do Grafana and Mimir differ from Alertmanager? Each difference that no
//! case of the others shows, with the place in their sources that makes it.

use serde_json::json;
use silenced::memory::grafana::RULE_LABEL;

use super::kind::Refused;
use super::server::{SILENCES, Server, UNKNOWN_ID, matcher, text, with};
use super::{DATA_SOURCE, EVERYBODY, GRAFANA, REPLICATED};

super::cases![
    EVERYBODY => [a_post_is_accepted_by_the_status_of_its_kind],
    GRAFANA => [
        an_id_may_be_any_text_and_is_not_found,
        an_error_has_a_message_id_and_a_status_code,
        missing_keys_are_400_and_have_no_message_id,
        annotations_are_dropped_and_accepted,
        the_rule_of_a_silence_cannot_be_changed,
        the_access_to_a_silence_is_told_on_demand,
        the_rule_of_a_silence_is_told_on_demand,
        without_credentials_it_is_401,
    ],
    DATA_SOURCE => [
        an_unknown_data_source_is_404,
        the_reason_of_the_other_server_is_the_message,
        an_empty_404_says_not_found,
    ],
    REPLICATED => [paths_outside_the_prefix_are_404],
    // Where there is no multi-tenancy, or everybody is given a configuration,
    // these are answered.
    REPLICATED.on_ours_alone() => [
        without_a_tenant_it_is_401_in_plain_text,
        a_tenant_without_configuration_has_no_alertmanager,
    ],
];

/// 202 from Grafana, 200 from everybody else, whatever Grafana's swagger says of
/// 201 (`pkg/services/ngalert/api/api_alertmanager_silences.go`).
async fn a_post_is_accepted_by_the_status_of_its_kind(server: Server) {
    let answer = server.post(&server.silence_of("status")).await;
    assert_eq!(answer.status, server.kind.accepted(), "{answer:?}");
    let keys: Vec<_> = answer.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["silenceID"]);
}

/// Alertmanager wants a UUID in the path and says 422; Grafana's route takes any
/// text (`pkg/services/ngalert/api/generated_base_api_alertmanager.go`).
async fn an_id_may_be_any_text_and_is_not_found(server: Server) {
    for id in ["foo", "0000", UNKNOWN_ID] {
        let path = format!("/api/v2/silence/{id}");
        server.get(&path).await.found_nothing();
        server.delete(id).await.found_nothing();
    }
}

/// `alerting.notifications.silences.badRequest` and `.notFound`
/// (`pkg/services/ngalert/notifier/multiorg_alertmanager.go`).
async fn an_error_has_a_message_id_and_a_status_code(server: Server) {
    let id = json!({ "id": UNKNOWN_ID });
    let unknown = with(&server.silence_of("message-id"), &id);
    let answer = server.post(&unknown).await;
    answer.refused_by_grafana(404, Some("notFound"), UNKNOWN_ID);
    let matchers = json!({"matchers": [server.mark("message-id"), matcher("a", "=~", "(")]});
    let invalid = with(&server.silence_of("message-id"), &matchers);
    let answer = server.post(&invalid).await;
    answer.refused_by_grafana(400, Some("badRequest"), "invalid silence: ");
}

/// Alertmanager says 422. Grafana validates by itself and answers in an older
/// shape of its errors (`RouteCreateSilence`,
/// `pkg/services/ngalert/api/api_alertmanager_silences.go`).
async fn missing_keys_are_400_and_have_no_message_id(server: Server) {
    let answer = server.post(&json!({})).await;
    answer.refused_by_grafana(400, None, "silence failed validation: ");
    assert_eq!(answer.json().get("messageId"), None);
}

/// The fork of Alertmanager that Grafana has built in knows none
/// (grafana/prometheus-alertmanager, `api/v2/openapi.yaml`).
async fn annotations_are_dropped_and_accepted(server: Server) {
    let annotations = json!({"annotations": {"ticket": "OPS-1"}});
    let annotated = with(&server.silence_of("annotated"), &annotations);
    let answer = server.post(&annotated).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let got = server.silence(&answer.accepted()).await;
    assert_eq!(got.get("annotations"), None);
}

/// The matcher on the rule can be neither added, nor removed, nor changed by an
/// update (`validateSilenceUpdate`,
/// `pkg/services/ngalert/notifier/silence_svc.go`).
async fn the_rule_of_a_silence_cannot_be_changed(server: Server) {
    let mark = server.mark("rule");
    let rule = |uid: &str| matcher(RULE_LABEL, "=", uid);
    let general = json!([mark]);
    let of_rule = json!([mark, rule("no-such-rule")]);
    let of_another = json!([mark, rule("no-other-rule")]);
    for (before, after) in [
        (&general, &of_rule),
        (&of_rule, &general),
        (&of_rule, &of_another),
    ] {
        let silence = with(&server.silence_of("rule"), &json!({"matchers": before}));
        let id = server.put(&silence).await;
        let held = server.silence(&id).await;
        let update = with(&held, &json!({"matchers": after}));
        let answer = server.post(&update).await;
        answer.refused_by_grafana(400, Some("badRequest"), RULE_LABEL);
        assert_eq!(server.silence(&id).await, held, "nothing has happened");
    }
    // A regular expression names no rule.
    let pattern = json!([mark, matcher(RULE_LABEL, "=~", "no-.*")]);
    let silence = with(&server.silence_of("rule"), &json!({"matchers": general}));
    let id = server.put(&silence).await;
    let update = with(&server.silence(&id).await, &json!({"matchers": pattern}));
    assert_ne!(server.put(&update).await, id, "other matchers replace");
}

/// `?accesscontrol=true` adds `accessControl`; Grafana 11.0 had it as
/// `metadata.permissions` (`GettableGrafanaSilence`,
/// `pkg/services/ngalert/api/tooling/definitions/alertmanager.go`).
async fn the_access_to_a_silence_is_told_on_demand(server: Server) {
    let id = server.put(&server.silence_of("access")).await;
    let plain = server.silence(&id).await;
    let path = format!("/api/v2/silence/{id}?accesscontrol=true");
    let told = server.get(&path).await.json();
    let access = told.get("accessControl");
    let access = access.or_else(|| told["metadata"].get("permissions"));
    let may_write = access.map(|access| access["write"] == true);
    assert_eq!(may_write, Some(true), "{told}");
    assert_eq!(plain.get("accessControl"), None, "{plain}");
    // What was added is passed over when it comes back.
    assert_eq!(server.put(&told).await, id);
}

/// `?ruleMetadata=true` adds `metadata` with the rule's UID and, if it exists and
/// may be read, its title and folder (same places).
async fn the_rule_of_a_silence_is_told_on_demand(server: Server) {
    let uid = "no-such-rule";
    let matchers = [server.mark("metadata"), matcher(RULE_LABEL, "=", uid)];
    let of_rule = with(
        &server.silence_of("metadata"),
        &json!({"matchers": matchers}),
    );
    let id = server.put(&of_rule).await;
    assert_eq!(server.silence(&id).await.get("metadata"), None);
    let path = format!("/api/v2/silence/{id}?ruleMetadata=true");
    let told = server.get(&path).await.json();
    assert_eq!(told["metadata"], json!({"rule_uid": uid}));
    assert_eq!(server.put(&told).await, id);
}

/// (pkg/services/contexthandler)
async fn without_credentials_it_is_401(server: Server) {
    let answer = server.as_stranger().get(SILENCES).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    text(&answer.json()["message"]);
}

/// (`getDatasourceByUID`, `pkg/services/ngalert/api/util.go`)
async fn an_unknown_data_source_is_404(server: Server) {
    let answer = server
        .get("/../silenced-contract-none/api/v2/silences")
        .await;
    assert_eq!(answer.status, 404, "{answer:?}");
    text(&answer.json()["message"]);
}

/// (`withReq`, `pkg/services/ngalert/api/util.go`)
async fn the_reason_of_the_other_server_is_the_message(server: Server) {
    let path = "/api/v2/silence/foo";
    let answer = server.get(path).await;
    answer.refused_by_grafana(422, None, "silenceID in path must be of type uuid");
    let none = with(&server.silence_of("reason"), &json!({"matchers": []}));
    let answer = server.post(&none).await;
    answer.refused(
        Refused::NoMatchers,
        "matchers in body should have at least 1 items",
    );
}

/// (`Error`, `pkg/api/response/response.go`)
async fn an_empty_404_says_not_found(server: Server) {
    let answer = server.get(&format!("/api/v2/silence/{UNKNOWN_ID}")).await;
    answer.refused_by_grafana(404, None, "Not Found");
}

/// (`-http.alertmanager-http-prefix`)
async fn paths_outside_the_prefix_are_404(server: Server) {
    let answer = server
        .get("/../silenced-contract-none/api/v2/silences")
        .await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

/// (dskit, `middleware/http_auth.go`)
async fn without_a_tenant_it_is_401_in_plain_text(server: Server) {
    let answer = server.as_stranger().get(SILENCES).await;
    assert_eq!((answer.status, answer.body.as_str()), (401, "no org id\n"));
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
}

/// It is no empty list, and no silence that is unknown
/// (`ServeHTTP`, Mimir's `pkg/alertmanager/multitenant.go`).
async fn a_tenant_without_configuration_has_no_alertmanager(server: Server) {
    let other = server.as_tenant("silenced-contract-none");
    for answer in [
        other.get(SILENCES).await,
        other.post(&server.silence_of("tenant")).await,
        other.delete(UNKNOWN_ID).await,
    ] {
        let said = answer.body.trim_end();
        let expected = "the Alertmanager is not configured";
        assert_eq!((answer.status, said), (404, expected));
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/plain")
        );
    }
}
