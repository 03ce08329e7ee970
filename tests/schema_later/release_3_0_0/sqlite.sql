-- The tables that the migrations of 3.0.0 left on SQLite.

CREATE TABLE "django_aws_api_gateway_websockets_websocketsession" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "connection_id" varchar(255) NOT NULL UNIQUE,
    "channel_name" varchar(128) NOT NULL,
    "connected" bool NOT NULL,
    "request_count" bigint unsigned NOT NULL CHECK ("request_count" >= 0),
    "created_on" datetime NOT NULL,
    "updated_on" datetime NOT NULL,
    "user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
    "api_gateway_id" bigint NULL REFERENCES "django_aws_api_gateway_websockets_apigateway" ("id") DEFERRABLE INITIALLY DEFERRED);
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
    "deployment_id" varchar(32) NOT NULL);
CREATE TABLE "django_aws_api_gateway_websockets_apigatewayadditionalroute" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" varchar(63) NOT NULL,
    "integration_url" varchar(200) NOT NULL,
    "created_on" datetime NOT NULL,
    "updated_on" datetime NOT NULL,
    "api_gateway_id" bigint NOT NULL REFERENCES "django_aws_api_gateway_websockets_apigateway" ("id") DEFERRABLE INITIALLY DEFERRED,
    "deployed" bool NOT NULL,
    "route_key" varchar(64) NOT NULL);
CREATE TABLE "connection_rate_limits" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "ip_address" char(39) NOT NULL,
    "attempt_time" datetime NOT NULL,
    "successful" bool NOT NULL,
    "user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "websocket_tokens" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "token" varchar(64) NOT NULL UNIQUE,
    "session_key" varchar(40) NOT NULL,
    "created_at" datetime NOT NULL,
    "used" bool NOT NULL,
    "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX "django_aws_api_gateway_websockets_websocketsession_user_id_fb3c2fcf" ON "django_aws_api_gateway_websockets_websocketsession" ("user_id");
CREATE INDEX "django_aws__connect_fee1eb_idx" ON "django_aws_api_gateway_websockets_websocketsession" ("connection_id", "connected");
CREATE INDEX "django_aws__channel_dd10fa_idx" ON "django_aws_api_gateway_websockets_websocketsession" ("channel_name", "connection_id");
CREATE INDEX "django_aws__channel_1de026_idx" ON "django_aws_api_gateway_websockets_websocketsession" ("channel_name", "connected");
CREATE INDEX "django_aws_api_gateway_websockets_websocketsession_api_gateway_id_4479c298" ON "django_aws_api_gateway_websockets_websocketsession" ("api_gateway_id");
CREATE INDEX "django_aws__api_id_0da7ec_idx" ON "django_aws_api_gateway_websockets_apigateway" ("api_id");
CREATE INDEX "django_aws__domain__3b4423_idx" ON "django_aws_api_gateway_websockets_apigateway" ("domain_name");
CREATE INDEX "django_aws__custom__5e8390_idx" ON "django_aws_api_gateway_websockets_apigateway" ("custom_domain_created");
CREATE INDEX "django_aws__api_cre_376add_idx" ON "django_aws_api_gateway_websockets_apigateway" ("api_created");
CREATE INDEX "django_aws__created_32cf2a_idx" ON "django_aws_api_gateway_websockets_apigateway" ("created_on");
CREATE INDEX "django_aws_api_gateway_websockets_apigatewayadditionalroute_api_gateway_id_22f339bc" ON "django_aws_api_gateway_websockets_apigatewayadditionalroute" ("api_gateway_id");
CREATE INDEX "django_aws_api_gateway_websockets_apigatewayadditionalroute_route_key_aebdba38" ON "django_aws_api_gateway_websockets_apigatewayadditionalroute" ("route_key");
CREATE UNIQUE INDEX "django_aws_api_gateway_websockets_apigatewayadditionalroute_api_gateway_id_route_key_47df7f02_uniq" ON "django_aws_api_gateway_websockets_apigatewayadditionalroute" ("api_gateway_id", "route_key");
CREATE INDEX "connection_rate_limits_ip_address_e4cd65c5" ON "connection_rate_limits" ("ip_address");
CREATE INDEX "connection_rate_limits_attempt_time_37e8baa7" ON "connection_rate_limits" ("attempt_time");
CREATE INDEX "connection_rate_limits_user_id_1b7068c4" ON "connection_rate_limits" ("user_id");
CREATE INDEX "connection__ip_addr_636400_idx" ON "connection_rate_limits" ("ip_address", "attempt_time");
CREATE INDEX "connection__user_id_fa2960_idx" ON "connection_rate_limits" ("user_id", "attempt_time");
CREATE INDEX "websocket_tokens_session_key_3924fef5" ON "websocket_tokens" ("session_key");
CREATE INDEX "websocket_tokens_created_at_43b37a30" ON "websocket_tokens" ("created_at");
CREATE INDEX "websocket_tokens_user_id_d1d52bfe" ON "websocket_tokens" ("user_id");
CREATE INDEX "websocket_t_token_b1045e_idx" ON "websocket_tokens" ("token", "used");
CREATE INDEX "websocket_t_created_c55db3_idx" ON "websocket_tokens" ("created_at");
