-- The tables that the migrations of 4.1.0 left on MariaDB.

CREATE TABLE `django_aws_api_gateway_websockets_apigateway` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `api_name` varchar(255) NOT NULL,
    `api_description` varchar(255) NOT NULL,
    `default_channel_name` varchar(128) NOT NULL,
    `domain_name` varchar(255) NOT NULL,
    `target_base_endpoint` varchar(200) DEFAULT NULL,
    `certificate_arn` varchar(255) NOT NULL,
    `hosted_zone_id` varchar(32) NOT NULL,
    `api_key_selection_expression` varchar(255) NOT NULL,
    `route_selection_expression` varchar(255) NOT NULL,
    `route_key` varchar(255) NOT NULL,
    `stage_name` varchar(63) NOT NULL,
    `stage_description` varchar(63) NOT NULL,
    `tags` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL CHECK (json_valid(`tags`)),
    `api_id` varchar(32) NOT NULL,
    `api_endpoint` varchar(255) NOT NULL,
    `api_gateway_domain_name` varchar(255) NOT NULL,
    `api_mapping_id` varchar(128) NOT NULL,
    `api_created` tinyint(1) NOT NULL,
    `custom_domain_created` tinyint(1) NOT NULL,
    `created_on` datetime(6) NOT NULL,
    `updated_on` datetime(6) NOT NULL,
    `deployment_id` varchar(32) NOT NULL,
    `last_error` varchar(255) NOT NULL,
    `provisioning_status` varchar(16) NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `api_name` (`api_name`),
    KEY `django_aws__api_id_0da7ec_idx` (`api_id`),
    KEY `django_aws__domain__3b4423_idx` (`domain_name`),
    KEY `django_aws__custom__5e8390_idx` (`custom_domain_created`),
    KEY `django_aws__api_cre_376add_idx` (`api_created`),
    KEY `django_aws__created_32cf2a_idx` (`created_on`)
);
CREATE TABLE `django_aws_api_gateway_websockets_apigatewayadditionalroute` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `name` varchar(63) NOT NULL,
    `route_key` varchar(64) NOT NULL,
    `integration_url` varchar(200) NOT NULL,
    `created_on` datetime(6) NOT NULL,
    `updated_on` datetime(6) NOT NULL,
    `api_gateway_id` bigint(20) NOT NULL,
    `deployed` tinyint(1) NOT NULL,
    `integration_id` varchar(32) NOT NULL,
    `route_id` varchar(32) NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `django_aws_api_gateway_w_api_gateway_id_route_key_47df7f02_uniq` (`api_gateway_id`,`route_key`),
    KEY `django_aws_api_gateway_webs_route_key_aebdba38` (`route_key`),
    CONSTRAINT `django_aws_api_gatew_api_gateway_id_22f339bc_fk_django_aw` FOREIGN KEY (`api_gateway_id`) REFERENCES `django_aws_api_gateway_websockets_apigateway` (`id`)
);
CREATE TABLE `django_aws_api_gateway_websockets_websocketsession` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `connection_id` varchar(255) NOT NULL,
    `channel_name` varchar(128) NOT NULL,
    `connected` tinyint(1) NOT NULL,
    `request_count` bigint(20) unsigned NOT NULL CHECK (`request_count` >= 0),
    `created_on` datetime(6) NOT NULL,
    `updated_on` datetime(6) NOT NULL,
    `user_id` int(11) DEFAULT NULL,
    `api_gateway_id` bigint(20) DEFAULT NULL,
    `auth_hash` varchar(64) NOT NULL,
    `session_key_hash` varchar(64) NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `connection_id` (`connection_id`),
    KEY `django_aws__connect_fee1eb_idx` (`connection_id`,`connected`),
    KEY `django_aws__channel_dd10fa_idx` (`channel_name`,`connection_id`),
    KEY `django_aws__channel_1de026_idx` (`channel_name`,`connected`),
    KEY `django_aws_api_gatew_user_id_fb3c2fcf_fk_auth_user` (`user_id`),
    KEY `django_aws_api_gatew_api_gateway_id_4479c298_fk_django_aw` (`api_gateway_id`),
    KEY `django_aws_api_gateway_webs_session_key_hash_a00a85a5` (`session_key_hash`),
    CONSTRAINT `django_aws_api_gatew_api_gateway_id_4479c298_fk_django_aw` FOREIGN KEY (`api_gateway_id`) REFERENCES `django_aws_api_gateway_websockets_apigateway` (`id`),
    CONSTRAINT `django_aws_api_gatew_user_id_fb3c2fcf_fk_auth_user` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
);
CREATE TABLE `django_aws_api_gateway_websockets_websockettoken` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `token` varchar(64) NOT NULL,
    `session_key` varchar(64) NOT NULL,
    `created_at` datetime(6) NOT NULL,
    `used` tinyint(1) NOT NULL,
    `user_id` int(11) NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `token` (`token`),
    KEY `websocket_tokens_user_id_d1d52bfe_fk_auth_user_id` (`user_id`),
    KEY `websocket_tokens_session_key_3924fef5` (`session_key`),
    KEY `websocket_tokens_created_at_43b37a30` (`created_at`),
    KEY `idx_websocket_tokens_used` (`token`,`used`),
    CONSTRAINT `websocket_tokens_user_id_d1d52bfe_fk_auth_user_id` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
);
CREATE TABLE `django_aws_api_gateway_websockets_connectionratelimit` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `ip_address` char(39) NOT NULL,
    `attempt_time` datetime(6) NOT NULL,
    `successful` tinyint(1) NOT NULL,
    `user_id` int(11) DEFAULT NULL,
    PRIMARY KEY (`id`),
    KEY `connection_rate_limits_ip_address_e4cd65c5` (`ip_address`),
    KEY `connection_rate_limits_attempt_time_37e8baa7` (`attempt_time`),
    KEY `django_aws_api_gateway_webs_user_id_9c616119` (`user_id`),
    KEY `idx_ip_attempt_time` (`ip_address`,`attempt_time`),
    KEY `idx_user_attempt_time` (`user_id`,`attempt_time`),
    CONSTRAINT `connection_rate_limits_user_id_1b7068c4_fk_auth_user_id` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
);
CREATE TABLE `django_aws_api_gateway_websockets_channelpermission` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `channel_name` varchar(128) NOT NULL,
    `access` varchar(16) NOT NULL,
    `description` varchar(255) NOT NULL,
    `created_on` datetime(6) NOT NULL,
    `updated_on` datetime(6) NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `channel_name` (`channel_name`)
);
CREATE TABLE `django_aws_api_gateway_websockets_channelpermissionrule` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `channel_permission_id` bigint(20) NOT NULL,
    PRIMARY KEY (`id`),
    KEY `django_aws_api_gatew_channel_permission_i_96f89a05_fk_django_aw` (`channel_permission_id`),
    CONSTRAINT `django_aws_api_gatew_channel_permission_i_96f89a05_fk_django_aw` FOREIGN KEY (`channel_permission_id`) REFERENCES `django_aws_api_gateway_websockets_channelpermission` (`id`)
);
CREATE TABLE `django_aws_api_gateway_websockets_channelpermissionrule_perm570c` (
    `id` bigint(20) NOT NULL AUTO_INCREMENT,
    `channelpermissionrule_id` bigint(20) NOT NULL,
    `permission_id` int(11) NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `django_aws_api_gateway_w_channelpermissionrule_id_663f989a_uniq` (`channelpermissionrule_id`,`permission_id`),
    KEY `django_aws_api_gatew_permission_id_710944c7_fk_auth_perm` (`permission_id`),
    CONSTRAINT `django_aws_api_gatew_channelpermissionrul_12509f59_fk_django_aw` FOREIGN KEY (`channelpermissionrule_id`) REFERENCES `django_aws_api_gateway_websockets_channelpermissionrule` (`id`),
    CONSTRAINT `django_aws_api_gatew_permission_id_710944c7_fk_auth_perm` FOREIGN KEY (`permission_id`) REFERENCES `auth_permission` (`id`)
);
