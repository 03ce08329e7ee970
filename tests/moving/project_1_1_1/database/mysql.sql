-- The chat's tables, as sqlmigrate wrote them under 1.1.1 on MariaDB.
CREATE TABLE `chat_presence` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `connection_id` varchar(255) NOT NULL UNIQUE, `is_there` bool NOT NULL, `saves` integer UNSIGNED NOT NULL CHECK (`saves` >= 0));
CREATE TABLE `chat_room` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `name` varchar(128) NOT NULL UNIQUE, `gateway_id` bigint NOT NULL, `owner_id` integer NULL, `route_id` bigint NULL);
CREATE TABLE `chat_room_listeners` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `room_id` bigint NOT NULL, `websocketsession_id` bigint NOT NULL);
CREATE TABLE `chat_message` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `text` longtext NOT NULL, `room_id` bigint NOT NULL, `session_id` bigint NULL);
ALTER TABLE `chat_room` ADD CONSTRAINT `chat_room_gateway_id_69a407f1_fk_django_aw` FOREIGN KEY (`gateway_id`) REFERENCES `django_aws_api_gateway_websockets_apigateway` (`id`);
ALTER TABLE `chat_room` ADD CONSTRAINT `chat_room_owner_id_13d3cdbb_fk_auth_user_id` FOREIGN KEY (`owner_id`) REFERENCES `auth_user` (`id`);
ALTER TABLE `chat_room` ADD CONSTRAINT `chat_room_route_id_ac2d38c8_fk_django_aw` FOREIGN KEY (`route_id`) REFERENCES `django_aws_api_gateway_websockets_apigatewayadditionalroute` (`id`);
ALTER TABLE `chat_room_listeners` ADD CONSTRAINT `chat_room_listeners_room_id_websocketsession_id_7a4699e0_uniq` UNIQUE (`room_id`, `websocketsession_id`);
ALTER TABLE `chat_room_listeners` ADD CONSTRAINT `chat_room_listeners_room_id_868c864a_fk_chat_room_id` FOREIGN KEY (`room_id`) REFERENCES `chat_room` (`id`);
ALTER TABLE `chat_room_listeners` ADD CONSTRAINT `chat_room_listeners_websocketsession_id_92d1a19f_fk_django_aw` FOREIGN KEY (`websocketsession_id`) REFERENCES `django_aws_api_gateway_websockets_websocketsession` (`id`);
ALTER TABLE `chat_message` ADD CONSTRAINT `chat_message_room_id_5e7d8d78_fk_chat_room_id` FOREIGN KEY (`room_id`) REFERENCES `chat_room` (`id`);
ALTER TABLE `chat_message` ADD CONSTRAINT `chat_message_session_id_9abc6edf_fk_django_aw` FOREIGN KEY (`session_id`) REFERENCES `django_aws_api_gateway_websockets_websocketsession` (`id`);
