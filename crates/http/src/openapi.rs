//! The OpenAPI document, made of the same types that requests are read into and answers are written from.
//!
//! OpenAPI 3.1 takes JSON Schema as it is, and all wire forms of tollwatch have one by `schemars`; so there is no second
//! description of them. That the paths are those of the router is held by `tests/openapi.rs`.
use crate::fault::FaultV1;
use crate::page::IncidentQuery;
use crate::routes::{DeliveryQuery, MOST_DIALLED, NumberQuery, ReadinessQuery};
use crate::wire::{
    ConditionsV1, DecisionRequestV1, DeliveriesV1, DrillRequestV1, DrillV1, ExtensionV1, IncidentDetailV1,
    IncidentStatusV1, IncidentsV1, MOST_NAME, MuteRequestV1, MuteV1, MutesV1, NothingV1, NotifiersV1,
    NumberV1, ReadinessV1, ReloadedV1, RetriedV1, RetryDeliveriesV1, RetryRequestV1, RulesV1, SourcesV1,
};
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

/// The document of the API, version 1.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut api = Api {
        requests: settings.clone().for_deserialize().into_generator(),
        answers: settings.for_serialize().into_generator(),
        paths: Map::new(),
    };
    api.describe();
    let mut schemas = api.requests.take_definitions(true);
    schemas.extend(api.answers.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tollwatch",
            "version": "1",
            "description": "Incidents of toll fraud, and the service that finds them. Faults are problem details (RFC 9457).",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": api.paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of `http.token_file` or `http.token_env`; not asked for where none is set.",
            } },
        },
    })
}

struct Api {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
    paths: Map<String, Value>,
}

/// Faults that any request may meet: malformed, no token, wrong host, too slow.
const ANY: [u16; 4] = [400, 401, 403, 408];
/// Beside them, those of what the engine's thread does.
const COMMAND: [u16; 2] = [404, 503];
/// And those of a body.
const BODY: [u16; 3] = [413, 415, 422];

impl Api {
    fn describe(&mut self) {
        let alive = "Whether the engine's loop turned in the last ten seconds";
        for (path, id) in [("/healthz", "health"), ("/livez", "live")] {
            self.get(path, id, alive).text("text/plain").faults(&[503]).security(json!([]));
        }
        self.get("/readyz", "ready", "Whether the service is ready, and what is not")
            .query::<ReadinessQuery>()
            .answer::<ReadinessV1>(200)
            .answer::<ReadinessV1>(503)
            .security(json!([{}, { "token": [] }]));
        self.get("/metrics", "metrics", "Metrics in Prometheus' text format 0.0.4").text("text/plain");
        self.get("/api/v1/incidents", "list_incidents", "Incidents, newest first")
            .query::<IncidentQuery>()
            .answer::<IncidentsV1<'_>>(200);
        self.get("/api/v1/incidents/{incident_id}", "get_incident", "An incident with its evidence")
            .answer::<IncidentDetailV1>(200)
            .faults(&[404]);
        for (verb, summary) in [
            ("acknowledge", "Say that somebody looks after an incident"),
            ("resolve", "Say that an incident is over"),
        ] {
            let path = format!("/api/v1/incidents/{{incident_id}}/{verb}");
            self.post(&path, &format!("{verb}_incident"), summary)
                .body::<DecisionRequestV1>()
                .answer::<IncidentStatusV1>(200)
                .faults(&COMMAND)
                .faults(&[409]);
        }
        self.get("/api/v1/mutes", "list_mutes", "Mutes in force").answer::<MutesV1<'_>>(200);
        self.post("/api/v1/mutes", "create_mute", "Keep alerts back for a while")
            .body::<MuteRequestV1>()
            .answer::<MuteV1>(201)
            .faults(&[503]);
        self.operation("delete", "/api/v1/mutes/{mute_id}", "delete_mute", "End a mute")
            .nothing()
            .faults(&COMMAND);
        self.get("/api/v1/extensions/{tenant}/{extension}", "get_extension", "An extension's windows now")
            .answer::<ExtensionV1>(200)
            .faults(&COMMAND);
        self.get("/api/v1/numbers/{dialled}", "get_number", "How a number is read and where it goes")
            .query::<NumberQuery>()
            .answer::<NumberV1>(200)
            .faults(&COMMAND);
        self.get(
            "/api/v1/conditions",
            "list_conditions",
            "What keeps the service from seeing or from being heard now",
        )
        .answer::<ConditionsV1<'_>>(200);
        self.get("/api/v1/sources", "list_sources", "Where records come from").answer::<SourcesV1<'_>>(200);
        self.get("/api/v1/rules", "list_rules", "Rules, as configured").answer::<RulesV1<'_>>(200);
        self.get("/api/v1/notifiers", "list_notifiers", "What sends alerts").answer::<NotifiersV1<'_>>(200);
        self.post(
            "/api/v1/notifiers/{name}/retry",
            "retry_notifier",
            "Send again what could not be delivered",
        )
        .body::<RetryRequestV1>()
        .answer::<RetriedV1>(200)
        .faults(&COMMAND);
        self.get("/api/v1/deliveries", "list_deliveries", "Alerts that were not delivered yet, oldest first")
            .query::<DeliveryQuery>()
            .answer::<DeliveriesV1>(200)
            .faults(&[503]);
        self.post(
            "/api/v1/deliveries/retry",
            "retry_deliveries",
            "Send again at once what has failed, and what was given up",
        )
        .body::<RetryDeliveriesV1>()
        .answer::<RetriedV1>(200)
        .faults(&COMMAND);
        self.post("/api/v1/drills", "begin_drill", "Let a made-up attack run through to everybody on call")
            .body::<DrillRequestV1>()
            .answer::<DrillV1>(201)
            .faults(&COMMAND);
        self.get("/api/v1/drills/{drill_id}", "get_drill", "How far a drill has come")
            .answer::<DrillV1>(200)
            .faults(&COMMAND);
        self.post("/api/v1/reload", "reload", "Read the configuration again: all of it is taken, or nothing")
            .body::<NothingV1>()
            .answer::<ReloadedV1>(200)
            .faults(&[503]);
        self.get("/api/v1/openapi.json", "openapi", "This document").object();
    }

    fn get(&mut self, path: &str, id: &str, summary: &str) -> Operation<'_> {
        self.operation("get", path, id, summary)
    }

    fn post(&mut self, path: &str, id: &str, summary: &str) -> Operation<'_> {
        self.operation("post", path, id, summary)
    }

    fn operation(&mut self, method: &str, path: &str, id: &str, summary: &str) -> Operation<'_> {
        let parameters: Vec<Value> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| {
                let most = if name == "dialled" { MOST_DIALLED } else { MOST_NAME };
                let schema = json!({ "type": "string", "minLength": 1, "maxLength": most });
                json!({ "name": name, "in": "path", "required": true, "schema": schema })
            })
            .collect();
        let described = json!({
            "operationId": id,
            "summary": summary,
            "parameters": parameters,
            "responses": {},
        });
        let operations = self.paths.entry(path).or_insert_with(|| json!({}));
        let place =
            operations.as_object_mut().map(|operations| operations.entry(method).or_insert(described));
        let place = place.and_then(Value::as_object_mut);
        Operation { requests: &mut self.requests, answers: &mut self.answers, place }.faults(&ANY)
    }
}

/// One operation that is being described. The place is always there; an `Option` spares every line the proof.
struct Operation<'a> {
    requests: &'a mut SchemaGenerator,
    answers: &'a mut SchemaGenerator,
    place: Option<&'a mut Map<String, Value>>,
}

impl Operation<'_> {
    fn set(mut self, key: &str, value: Value) -> Self {
        if let Some(place) = &mut self.place {
            place.insert(key.to_owned(), value);
        }
        self
    }

    fn respond(mut self, status: u16, response: Value) -> Self {
        let responses = self.place.as_mut().and_then(|place| place.get_mut("responses"));
        if let Some(responses) = responses.and_then(Value::as_object_mut) {
            responses.insert(status.to_string(), response);
        }
        self
    }

    fn security(self, security: Value) -> Self {
        self.set("security", security)
    }

    fn query<T: JsonSchema>(mut self) -> Self {
        let schema = T::json_schema(self.requests).to_value();
        let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let described = fields.into_iter().map(|(name, mut schema)| {
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            json!({ "name": name, "in": "query", "description": description, "schema": without_null(schema) })
        });
        let parameters = self.place.as_mut().and_then(|place| place.get_mut("parameters"));
        if let Some(parameters) = parameters.and_then(Value::as_array_mut) {
            parameters.extend(described);
        }
        self
    }

    fn body<T: JsonSchema>(self) -> Self {
        let schema = self.requests.subschema_for::<T>();
        let body = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        self.set("requestBody", body).faults(&BODY)
    }

    fn answer<T: JsonSchema>(self, status: u16) -> Self {
        let schema = self.answers.subschema_for::<T>();
        let content = json!({ "application/json": { "schema": schema } });
        self.respond(status, json!({ "description": meaning(status), "content": content }))
    }

    fn object(self) -> Self {
        let content = json!({ "application/json": { "schema": { "type": "object" } } });
        self.respond(200, json!({ "description": meaning(200), "content": content }))
    }

    fn text(self, kind: &str) -> Self {
        let content = json!({ kind: { "schema": { "type": "string" } } });
        self.respond(200, json!({ "description": meaning(200), "content": content }))
    }

    fn nothing(self) -> Self {
        self.respond(204, json!({ "description": meaning(204) }))
    }

    fn faults(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |operation, &status| {
            let schema = operation.answers.subschema_for::<FaultV1>();
            let content = json!({ "application/problem+json": { "schema": schema } });
            operation.respond(status, json!({ "description": meaning(status), "content": content }))
        })
    }
}

/// What a status says, in the words of this API.
fn meaning(status: u16) -> &'static str {
    match status {
        200 => "Done, or shown",
        201 => "Made",
        204 => "Done; there is nothing to show",
        400 => "The request cannot be understood",
        401 => "A token is needed",
        403 => "Asked under a name that is not this service's",
        404 => "There is no such thing",
        408 => "The request did not end in time",
        409 => "It is in another state than the request supposes",
        413 => "The body is too long",
        415 => "The body is not declared as JSON",
        422 => "Values that cannot be used; `problems` names them",
        _ => "Not now; `Retry-After` says when",
    }
}

/// A parameter that is not wanted is left out; there is no null in a query.
fn without_null(mut schema: Value) -> Value {
    let Some(fields) = schema.as_object_mut() else { return schema };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [only] = choices.as_slice() {
            return only.clone();
        }
    }
    schema
}
