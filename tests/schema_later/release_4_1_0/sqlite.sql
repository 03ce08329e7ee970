-- The tables that the migrations of 4.1.0 left on SQLite.

CREATE TABLE "django_aws_api_gateway_websockets_connectionratelimit" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "ip_address" char(39) NOT NULL,
    "attempt_time" datetime NOT NULL,
    "successful" bool NOT NULL,
    "user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "django_aws_api_gateway_websockets_websockettoken" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "token" varchar(64) NOT NULL UNIQUE,
    "created_at" datetime NOT NULL,
    "used" bool NOT NULL,
    "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
    "session_key" varchar(64) NOT NULL);
CREATE TABLE "django_aws_api_gateway_websockets_channelpermission" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "channel_name" varchar(128) NOT NULL UNIQUE,
    "access" varchar(16) NOT NULL,
    "description" varchar(255) NOT NULL,
    "created_on" datetime NOT NULL,
    "updated_on" datetime NOT NULL);
CREATE TABLE "django_aws_api_gateway_websockets_channelpermissionrule" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "channel_permission_id" bigint NOT NULL REFERENCES "django_aws_api_gateway_websockets_channelpermission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "django_aws_api_gateway_websockets_channelpermissionrule_permissions" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "channelpermissionrule_id" bigint NOT NULL REFERENCES "django_aws_api_gateway_websockets_channelpermissionrule" ("id") DEFERRABLE INITIALLY DEFERRED,
    "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "django_aws_api_gateway_websockets_apigateway" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "api_name" varchar(255) NOT NULL UNIQUE,
    "api_description" varchar(255) NOT NULL,
    "default_channel_name" varchar(128) NOT NULL,
    "domain_name" varchar(255) NOT NULL,
    "target_base_endpoint" varchar(200) NULL,
    "certificate_arn" varchar(255) NOT NULL,
    "hosted_zone_id" varchar(32) NOT NULL,
    "api_key_selection_expression" varchar(255) NOT NULL,
    "route_selection_expression" varchar(255) NOT NULL,
    "route_key" varchar(255) NOT NULL,
    "stage_name" varchar(63) NOT NULL,
    "stage_description" varchar(63) NOT NULL,
    "tags" text NOT NULL CHECK ((JSON_VALID("tags") OR "tags" IS NULL)),
    "api_id" varchar(32) NOT NULL,
    "api_endpoint" varchar(255) NOT NULL,
    "api_gateway_domain_name" varchar(255) NOT NULL,
    "api_mapping_id" varchar(128) NOT NULL,
    "api_created" bool NOT NULL,
    "custom_domain_created" bool NOT NULL,
    "created_on" datetime NOT NULL,
    "updated_on" datetime NOT NULL,
    "deployment_id" varchar(32) NOT NULL,
    "last_error" varchar(255) NOT NULL,
    "provisioning_status" varchar(16) NOT NULL);
CREATE TABLE "django_aws_api_gateway_websockets_apigatewayadditionalroute" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" varchar(63) NOT NULL,
    "route_key" varchar(64) NOT NULL,
    "integration_url" varchar(200) NOT NULL,
    "created_on" datetime NOT NULL,
    "updated_on" datetime NOT NULL,
    "api_gateway_id" bigint NOT NULL REFERENCES "django_aws_api_gateway_websockets_apigateway" ("id") DEFERRABLE INITIALLY DEFERRED,
    "deployed" bool NOT NULL,
    "integration_id" varchar(32) NOT NULL,
    "route_id" varchar(32) NOT NULL);
CREATE TABLE "django_aws_api_gateway_websockets_websocketsession" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "connection_id" varchar(255) NOT NULL UNIQUE,
    "channel_name" varchar(128) NOT NULL,
    "connected" bool NOT NULL,
    "request_count" bigint unsigned NOT NULL CHECK ("request_count" >= 0),
    "created_on" datetime NOT NULL,
    "updated_on" datetime NOT NULL,
    "user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
    "api_gateway_id" bigint NULL REFERENCES "django_aws_api_gateway_websockets_apigateway" ("id") DEFERRABLE INITIALLY DEFERRED,
    "auth_hash" varchar(64) NOT NULL,
    "session_key_hash" varchar(64) NOT NULL);
CREATE INDEX "connection_rate_limits_ip_address_e4cd65c5" ON "django_aws_api_gateway_websockets_connectionratelimit" ("ip_address");
CREATE INDEX "connection_rate_limits_attempt_time_37e8baa7" ON "django_aws_api_gateway_websockets_connectionratelimit" ("attempt_time");
CREATE INDEX "connection_rate_limits_user_id_1b7068c4" ON "django_aws_api_gateway_websockets_connectionratelimit" ("user_id");
CREATE INDEX "idx_ip_attempt_time" ON "django_aws_api_gateway_websockets_connectionratelimit" ("ip_address", "attempt_time");
CREATE INDEX "idx_user_attempt_time" ON "django_aws_api_gateway_websockets_connectionratelimit" ("user_id", "attempt_time");
CREATE INDEX "django_aws_api_gateway_websockets_websockettoken_created_at_972072b7" ON "django_aws_api_gateway_websockets_websockettoken" ("created_at");
CREATE INDEX "django_aws_api_gateway_websockets_websockettoken_user_id_e9fbe244" ON "django_aws_api_gateway_websockets_websockettoken" ("user_id");
CREATE INDEX "django_aws_api_gateway_websockets_websockettoken_session_key_a59d614c" ON "django_aws_api_gateway_websockets_websockettoken" ("session_key");
CREATE INDEX "idx_websocket_tokens_used" ON "django_aws_api_gateway_websockets_websockettoken" ("token", "used");
CREATE INDEX "django_aws_api_gateway_websockets_channelpermissionrule_channel_permission_id_96f89a05" ON "django_aws_api_gateway_websockets_channelpermissionrule" ("channel_permission_id");
CREATE UNIQUE INDEX "django_aws_api_gateway_websockets_channelpermissionrule_permissions_channelpermissionrule_id_permission_id_6698fde8_uniq" ON "django_aws_api_gateway_websockets_channelpermissionrule_permissions" ("channelpermissionrule_id", "permission_id");
CREATE INDEX "django_aws_api_gateway_websockets_channelpermissionrule_permissions_channelpermissionrule_id_b3ae96f0" ON "django_aws_api_gateway_websockets_channelpermissionrule_permissions" ("channelpermissionrule_id");
CREATE INDEX "django_aws_api_gateway_websockets_channelpermissionrule_permissions_permission_id_db42dd94" ON "django_aws_api_gateway_websockets_channelpermissionrule_permissions" ("permission_id");
CREATE INDEX "django_aws__api_id_0da7ec_idx" ON "django_aws_api_gateway_websockets_apigateway" ("api_id");
CREATE INDEX "django_aws__domain__3b4423_idx" ON "django_aws_api_gateway_websockets_apigateway" ("domain_name");
CREATE INDEX "django_aws__custom__5e8390_idx" ON "django_aws_api_gateway_websockets_apigateway" ("custom_domain_created");
CREATE INDEX "django_aws__api_cre_376add_idx" ON "django_aws_api_gateway_websockets_apigateway" ("api_created");
CREATE INDEX "django_aws__created_32cf2a_idx" ON "django_aws_api_gateway_websockets_apigateway" ("created_on");
CREATE UNIQUE INDEX "django_aws_api_gateway_websockets_apigatewayadditionalroute_api_gateway_id_route_key_47df7f02_uniq" ON "django_aws_api_gateway_websockets_apigatewayadditionalroute" ("api_gateway_id", "route_key");
CREATE INDEX "django_aws_api_gateway_websockets_apigatewayadditionalroute_route_key_aebdba38" ON "django_aws_api_gateway_websockets_apigatewayadditionalroute" ("route_key");
CREATE INDEX "django_aws_api_gateway_websockets_apigatewayadditionalroute_api_gateway_id_22f339bc" ON "django_aws_api_gateway_websockets_apigatewayadditionalroute" ("api_gateway_id");
CREATE INDEX "django_aws_api_gateway_websockets_websocketsession_user_id_fb3c2fcf" ON "django_aws_api_gateway_websockets_websocketsession" ("user_id");
CREATE INDEX "django_aws_api_gateway_websockets_websocketsession_api_gateway_id_4479c298" ON "django_aws_api_gateway_websockets_websocketsession" ("api_gateway_id");
CREATE INDEX "django_aws_api_gateway_websockets_websocketsession_session_key_hash_a00a85a5" ON "django_aws_api_gateway_websockets_websocketsession" ("session_key_hash");
CREATE INDEX "django_aws__connect_fee1eb_idx" ON "django_aws_api_gateway_websockets_websocketsession" ("connection_id", "connected");
CREATE INDEX "django_aws__channel_dd10fa_idx" ON "django_aws_api_gateway_websockets_websocketsession" ("channel_name", "connection_id");
CREATE INDEX "django_aws__channel_1de026_idx" ON "django_aws_api_gateway_websockets_websocketsession" ("channel_name", "connected");
