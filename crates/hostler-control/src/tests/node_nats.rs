//! How a node comes into the control NATS: by a key of its own.

use axum::http::Method;
use serde_json::json;

use crate::passes::{NodeKeys, Pass};
use crate::testing::{Ask, House, Machine};

const FIRST: &str = "UCFIRY65OQE7DFP5KLNS2PF2LVZMUZYJX4OZIEQ36N2IQANUB5XVZ45L";
const SECOND: &str = "UCATS5YOVB6ROX2WUNKGNQ2MP3GMXDMKSG2O4N5CLX3A6W4PZGZZJPJO";

fn put(machine: &Machine, key: &str) -> Ask {
    let ask = Ask::new(Method::PUT, "/slaves/nats").key(&machine.key);
    ask.json(&json!({ "public_key": key }))
}

#[tokio::test]
async fn a_node_is_told_where_nats_is_and_its_key_is_let_in_while_it_is_registered() {
    let url = "nats://10.0.0.1:4222";
    let house = House::with(|options| options.node_nats.url = Some(url.to_owned())).await;
    let machine = Machine::join(&house, "n1").await;
    let file = house.folder.path().join("keys");
    let mut pass = NodeKeys::new(house.app.clone(), file.clone());
    let mut kept = async || {
        pass.run().await.unwrap();
        std::fs::read_to_string(&file).unwrap()
    };
    assert_eq!(kept().await, "");
    for key in [FIRST, SECOND] {
        let told = put(&machine, key).send(&house.router).await.expect(200);
        assert_eq!(told["url"], url);
        assert_eq!(kept().await, format!("{key}\n"));
    }
    let remove = Ask::delete(&format!("/slaves/{}", machine.id));
    remove.send(&house.router).await.expect(204);
    assert_eq!(kept().await, "", "who is no node any more is not let in");
    let answer = put(&machine, FIRST).send(&house.router).await;
    answer.refused(401, "unauthenticated");
}

#[tokio::test]
async fn nothing_but_a_users_public_key_is_taken() {
    let house = House::on_sqlite().await;
    let machine = Machine::join(&house, "n1").await;
    let curve = "XBUJMZHVOPQ2SK5VD3TY4VNBPVU2YFGRLK6EFPEPSMVDUYEBSROWZCEA";
    let account = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";
    let seed = "SUAM2CE7FZVRCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4";
    let clever = format!("{FIRST} }} {{ user: me, password: me");
    for bad in ["", "me", curve, account, seed, &clever] {
        let answer = put(&machine, bad).send(&house.router).await;
        answer.refused(422, "invalid");
    }
    assert_eq!(house.app.store.node_nats_keys().await.unwrap(), [""; 0]);
    let told = put(&machine, FIRST).send(&house.router).await.expect(200);
    assert_eq!(told, json!({}), "nobody told this control plane an address");
}
