-- Rows of a site of 3.0.0, made by its models and its view; in the words of every database.

INSERT INTO django_migrations (app, name, applied) VALUES
    ('django_aws_api_gateway_websockets', '0001_initial', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0002_rename_author_websocketsession_user', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0003_auto_20220706_1018', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0004_auto_20221208_1227', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0005_apigatewayadditionalroute_deployed', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0006_auto_20221215_0847', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0007_connectionratelimit_websockettoken', '2026-11-01 10:00:00');

INSERT INTO auth_user (
    id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined,
    first_name
) VALUES
    (1, 'md5$HCyRzkI46yvId1HdElUrUN$1ee5aa51f538bcbce4fa2cfc0b2736c9', FALSE, 'alice', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', ''),
    (2, 'md5$0K9jOwHRmVnV9UOH3nsO9Y$6e6b9be711d286891d8deeca479eea9e', FALSE, 'bob', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', ''),
    (3, 'md5$8WPT5voYS8VyOxkFbVo7WI$73407228c0310e524a6dbd0fb05bfbd5', FALSE, 'carol', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', '');

INSERT INTO django_session (
    session_key, session_data, expire_date
) VALUES
    ('5gmt7j8unay22jo3c3xgiy6sc8t4dz3n',
     '.eJxVjMEOwiAQRP-FsyGUlhU8evcbyC67SNXQpLQn47_bJj3oaZJ5b-atIq5LiWuTOY6sLsqq029HmJ5Sd8APrPdJp6ku80h6V_RBm75NLK_r4f4dFGxlW4PpMQxExlMOWTrMJAkGMGhDz2QdiXdnpgzoHRibMAF7Z7YQcJ1Tny8DcziM:1xWz5C:WpjpRhtfCpC0zG_zy95VXYJ8uZZ7T-C62jW8MmXWxME',
     '2099-01-01 10:00:00'),
    ('fsz689bgvpxi6mm557y3t349fxp7xnif',
     '.eJxVjDsOwyAQBe9CHSG-hk2Z3mdACwuxkwgkY1dR7h5bcpG0b2bemwXc1ilsPS9hJnZlkl1-t4jpmesB6IH13nhqdV3myA-Fn7TzsVF-3U7372DCPu11IRCDd0YrGIQvNEgEgbo4UQQCRCoeTcqGyAnQ0e6qVSpHH0FrC5J9vtUJN1w:1xWz5C:8vcGZA8TIRZxjpJULtBiJhQi-DNmbUP1KtG6h_-4Z7A',
     '2099-01-01 10:00:00');

INSERT INTO django_aws_api_gateway_websockets_apigateway (
    id, api_name, api_description, default_channel_name, domain_name, target_base_endpoint,
    certificate_arn, hosted_zone_id, api_key_selection_expression, route_selection_expression,
    route_key, stage_name, stage_description, tags, api_id, api_endpoint,
    api_gateway_domain_name, api_mapping_id, api_created, custom_domain_created, created_on,
    updated_on, deployment_id
) VALUES
    (1, 'Chat', '', 'lobby', 'ws.example.com', 'https://www.example.com/chat/',
     'arn:aws:acm:eu-west-1:1:certificate/1', '', '$request.header.x-api-key',
     '$request.body.action', '$default', 'production', '', '{"team": "web"}', 'old1',
     'wss://old1.execute-api.eu-west-1.amazonaws.com',
     'd-1.execute-api.eu-west-1.amazonaws.com', 'm1', TRUE, TRUE, '2026-11-01 10:00:00',
     '2026-11-01 10:00:00', 'd1'),
    (2, 'News', '', '', '', 'https://www.example.com/news/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     '', '', '', '', FALSE, FALSE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', '');

INSERT INTO django_aws_api_gateway_websockets_apigatewayadditionalroute (
    id, name, integration_url, created_on, updated_on, api_gateway_id, deployed, route_key
) VALUES
    (1, 'Join', 'https://www.example.com/ws/join', '2026-11-01 10:00:00',
     '2026-11-01 10:00:00', 1, TRUE, 'join');

INSERT INTO django_aws_api_gateway_websockets_websocketsession (
    id, connection_id, channel_name, connected, request_count, created_on, updated_on,
    user_id, api_gateway_id
) VALUES
    (1, 'alice=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 1, 1),
    (2, 'bob=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 2, 1),
    (3, 'guest=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', NULL, 1),
    (4, 'left=', 'lobby', FALSE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 1, 1);

INSERT INTO websocket_tokens (
    id, token, session_key, created_at, used, user_id
) VALUES
    (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
     'fsz689bgvpxi6mm557y3t349fxp7xnif', '2026-11-01 10:00:00', FALSE, 1),
    (2, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',
     'dddddddddddddddddddddddddddddddddddddddd', '2026-11-01 10:00:00', TRUE, 3);

INSERT INTO connection_rate_limits (
    id, ip_address, attempt_time, successful, user_id
) VALUES
    (1, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 1),
    (2, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 2),
    (3, '1.2.3.4', '2026-11-01 10:00:00', TRUE, NULL),
    (4, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 1),
    (5, '1.2.3.4', '2026-11-01 10:00:00', FALSE, NULL);
