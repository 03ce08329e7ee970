-- The tables that the migrations of 1.1.1 left on MariaDB and MySQL.

CREATE TABLE `django_aws_api_gateway_websockets_apigateway` (
    `id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY,
    `api_name` varchar(255) NOT NULL UNIQUE,
    `api_description` varchar(255) NOT NULL,
    `default_channel_name` varchar(128) NOT NULL,
    `domain_name` varchar(255) NOT NULL,
    `target_base_endpoint` varchar(200) NULL,
    `certificate_arn` varchar(255) NOT NULL,
    `hosted_zone_id` varchar(32) NOT NULL,
    `api_key_selection_expression` varchar(255) NOT NULL,
    `route_selection_expression` varchar(255) NOT NULL,
    `route_key` varchar(255) NOT NULL,
    `stage_name` varchar(63) NOT NULL,
    `stage_description` varchar(63) NOT NULL,
    `deployment_id` varchar(32) NOT NULL,
    `tags` json NOT NULL,
    `api_id` varchar(32) NOT NULL,
    `api_endpoint` varchar(255) NOT NULL,
    `api_gateway_domain_name` varchar(255) NOT NULL,
    `api_mapping_id` varchar(128) NOT NULL,
    `api_created` bool NOT NULL,
    `custom_domain_created` bool NOT NULL,
    `created_on` datetime(6) NOT NULL,
    `updated_on` datetime(6) NOT NULL
);
CREATE INDEX `django_aws__api_id_0da7ec_idx`
    ON `django_aws_api_gateway_websockets_apigateway` (`api_id`);
CREATE INDEX `django_aws__domain__3b4423_idx`
    ON `django_aws_api_gateway_websockets_apigateway` (`domain_name`);
CREATE INDEX `django_aws__custom__5e8390_idx`
    ON `django_aws_api_gateway_websockets_apigateway` (`custom_domain_created`);
CREATE INDEX `django_aws__api_cre_376add_idx`
    ON `django_aws_api_gateway_websockets_apigateway` (`api_created`);
CREATE INDEX `django_aws__created_32cf2a_idx`
    ON `django_aws_api_gateway_websockets_apigateway` (`created_on`);

CREATE TABLE `django_aws_api_gateway_websockets_apigatewayadditionalroute` (
    `id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY,
    `name` varchar(63) NOT NULL,
    `route_key` varchar(64) NOT NULL,
    `integration_url` varchar(200) NOT NULL,
    `deployed` bool NOT NULL,
    `created_on` datetime(6) NOT NULL,
    `updated_on` datetime(6) NOT NULL,
    `api_gateway_id` bigint NOT NULL,
    CONSTRAINT `django_aws_api_gateway_w_api_gateway_id_route_key_47df7f02_uniq`
        UNIQUE (`api_gateway_id`, `route_key`),
    CONSTRAINT `django_aws_api_gatew_api_gateway_id_22f339bc_fk_django_aw`
        FOREIGN KEY (`api_gateway_id`)
        REFERENCES `django_aws_api_gateway_websockets_apigateway` (`id`)
);
CREATE INDEX `django_aws_api_gateway_webs_route_key_aebdba38`
    ON `django_aws_api_gateway_websockets_apigatewayadditionalroute` (`route_key`);

CREATE TABLE `django_aws_api_gateway_websockets_websocketsession` (
    `id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY,
    `connection_id` varchar(255) NOT NULL UNIQUE,
    `channel_name` varchar(128) NOT NULL,
    `connected` bool NOT NULL,
    `request_count` bigint UNSIGNED NOT NULL CHECK (`request_count` >= 0),
    `created_on` datetime(6) NOT NULL,
    `updated_on` datetime(6) NOT NULL,
    `api_gateway_id` bigint NULL,
    `user_id` integer NULL,
    CONSTRAINT `django_aws_api_gatew_api_gateway_id_4479c298_fk_django_aw`
        FOREIGN KEY (`api_gateway_id`)
        REFERENCES `django_aws_api_gateway_websockets_apigateway` (`id`),
    CONSTRAINT `django_aws_api_gatew_user_id_fb3c2fcf_fk_auth_user`
        FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
);
CREATE INDEX `django_aws__connect_fee1eb_idx`
    ON `django_aws_api_gateway_websockets_websocketsession` (`connection_id`, `connected`);
CREATE INDEX `django_aws__channel_dd10fa_idx`
    ON `django_aws_api_gateway_websockets_websocketsession` (`channel_name`, `connection_id`);
CREATE INDEX `django_aws__channel_1de026_idx`
    ON `django_aws_api_gateway_websockets_websocketsession` (`channel_name`, `connected`);
