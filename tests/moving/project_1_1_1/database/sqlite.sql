-- The chat's tables, as sqlmigrate wrote them under 1.1.1 on SQLite.
CREATE TABLE "chat_presence" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "connection_id" varchar(255) NOT NULL UNIQUE, "is_there" bool NOT NULL, "saves" integer unsigned NOT NULL CHECK ("saves" >= 0));
CREATE TABLE "chat_room" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(128) NOT NULL UNIQUE, "gateway_id" bigint NOT NULL REFERENCES "django_aws_api_gateway_websockets_apigateway" ("id") DEFERRABLE INITIALLY DEFERRED, "owner_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "route_id" bigint NULL REFERENCES "django_aws_api_gateway_websockets_apigatewayadditionalroute" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "chat_room_listeners" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "room_id" bigint NOT NULL REFERENCES "chat_room" ("id") DEFERRABLE INITIALLY DEFERRED, "websocketsession_id" bigint NOT NULL REFERENCES "django_aws_api_gateway_websockets_websocketsession" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "chat_message" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "text" text NOT NULL, "room_id" bigint NOT NULL REFERENCES "chat_room" ("id") DEFERRABLE INITIALLY DEFERRED, "session_id" bigint NULL REFERENCES "django_aws_api_gateway_websockets_websocketsession" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX "chat_room_gateway_id_69a407f1" ON "chat_room" ("gateway_id");
CREATE INDEX "chat_room_owner_id_13d3cdbb" ON "chat_room" ("owner_id");
CREATE INDEX "chat_room_route_id_ac2d38c8" ON "chat_room" ("route_id");
CREATE UNIQUE INDEX "chat_room_listeners_room_id_websocketsession_id_7a4699e0_uniq" ON "chat_room_listeners" ("room_id", "websocketsession_id");
CREATE INDEX "chat_room_listeners_room_id_868c864a" ON "chat_room_listeners" ("room_id");
CREATE INDEX "chat_room_listeners_websocketsession_id_92d1a19f" ON "chat_room_listeners" ("websocketsession_id");
CREATE INDEX "chat_message_room_id_5e7d8d78" ON "chat_message" ("room_id");
CREATE INDEX "chat_message_session_id_9abc6edf" ON "chat_message" ("session_id");
