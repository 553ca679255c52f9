//! The document says what the router does.
use crate::harness::{around, engine, get, open, request, send};
use axum::body::Body;
use serde_json::Value;
use std::collections::BTreeSet;
use tollwatch_http::{Limits, openapi};

/// Path, methods.
fn paths() -> Vec<(String, BTreeSet<String>)> {
    let document = openapi();
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .map(|(path, operations)| {
            (path.clone(), operations.as_object().unwrap().keys().map(|m| m.to_uppercase()).collect())
        })
        .collect()
}

fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_path_of_the_document_is_routed_and_knows_exactly_its_methods() {
    let service = around(&open(), Limits::default(), engine()).service;
    for (path, mut methods) in paths() {
        let options = request("OPTIONS", &filled(&path)).body(Body::empty()).unwrap();
        let answer = send(&service, options).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text);
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        let known: BTreeSet<String> = answer.header("allow").split(',').map(str::to_owned).collect();
        assert_eq!(known, methods, "{path}");
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_printed() {
    let service = around(&open(), Limits::default(), engine()).service;
    assert_eq!(get(&service, "/api/v1/openapi.json").await.json(), openapi());
}

#[test]
fn every_reference_leads_to_a_schema_and_every_schema_is_used() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value.as_str() {
                        Some(target) if key == "$ref" => drop(found.insert(target.to_owned())),
                        _ => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = openapi();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let defined: BTreeSet<String> =
        schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(used, defined);
}

#[test]
fn operations_have_ids_of_their_own_and_no_query_parameter_may_be_null() {
    let document = openapi();
    let mut ids = BTreeSet::new();
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{operation}");
        for parameter in operation["parameters"].as_array().unwrap() {
            assert!(!parameter["schema"].to_string().contains("null"), "{parameter}");
        }
    }
    assert_eq!(ids.len(), 24);
}
