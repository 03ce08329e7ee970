-- What the chat holds when its package is changed: all that is kept of it must be there afterwards.

INSERT INTO django_migrations (app, name, applied) VALUES
    ('django_aws_api_gateway_websockets', '0001_initial', '2022-07-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0002_rename_author_websocketsession_user',
        '2022-07-02 10:00:00'),
    ('django_aws_api_gateway_websockets', '0003_auto_20220706_1018', '2022-07-06 10:18:00'),
    ('django_aws_api_gateway_websockets', '0004_auto_20221208_1227', '2022-12-08 12:27:00'),
    ('django_aws_api_gateway_websockets', '0005_apigatewayadditionalroute_deployed',
        '2022-12-14 10:00:00'),
    ('django_aws_api_gateway_websockets', '0006_auto_20221215_0847', '2022-12-15 08:47:00'),
    ('chat', '0001_initial', '2023-01-02 03:04:05'),
    ('chat', '0002_a_lobby_for_each_gateway', '2023-01-02 03:04:05');

INSERT INTO auth_user (
    id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
    date_joined
) VALUES (
    5, 'md5$salt$0', FALSE, 'alice', '', '', 'alice@example.com', FALSE, TRUE,
    '2023-01-02 03:04:05'
);

INSERT INTO django_aws_api_gateway_websockets_apigateway (
    id, api_name, api_description, default_channel_name, domain_name, target_base_endpoint,
    certificate_arn, hosted_zone_id, api_key_selection_expression, route_selection_expression,
    route_key, stage_name, stage_description, deployment_id, tags, api_id, api_endpoint,
    api_gateway_domain_name, api_mapping_id, api_created, custom_domain_created, created_on,
    updated_on
) VALUES (
    7, 'Chat', 'Talks', 'Chat lobby', 'ws.example.com', 'https://www.example.com/ws/',
    'arn:aws:acm:eu-west-1:1:certificate/1', 'Z1', '$request.header.x-api-key',
    '$request.body.action', '$default', 'production', 'live', 'd1', '{"team": "web"}', 'old1',
    'wss://old1.execute-api.eu-west-1.amazonaws.com', 'd-1.execute-api.eu-west-1.amazonaws.com',
    'm1', TRUE, TRUE, '2023-01-02 03:04:05', '2023-01-03 03:04:05'
), (
    8, 'News', '', '', '', NULL, '', '', '$request.header.x-api-key', '$request.body.action',
    '$default', 'production', '', '', '{}', '', '', '', '', FALSE, FALSE,
    '2023-01-02 03:04:05', '2023-01-02 03:04:05'
), (
    9, 'Stuck', '', '', 'stuck.example.com', 'https://www.example.com/ws/',
    'arn:aws:acm:eu-west-1:1:certificate/2', '', '$request.header.x-api-key',
    '$request.body.action', '$default', 'production', '', 'd2', '{}', 'old2',
    'wss://old2.execute-api.eu-west-1.amazonaws.com', '', '', TRUE, TRUE,
    '2023-01-02 03:04:05', '2023-01-02 03:04:05'
);

INSERT INTO django_aws_api_gateway_websockets_apigatewayadditionalroute (
    id, name, route_key, integration_url, deployed, created_on, updated_on, api_gateway_id
) VALUES (
    3, 'Join', 'join', 'https://www.example.com/ws/join', TRUE, '2023-01-02 03:04:05',
    '2023-01-02 03:04:05', 7
);

INSERT INTO django_aws_api_gateway_websockets_websocketsession (
    id, connection_id, channel_name, connected, request_count, created_on, updated_on,
    api_gateway_id, user_id
) VALUES
    (11, 'alice=', 'Chat lobby', TRUE, 3, '2023-01-02 03:04:05', '2023-01-02 03:04:05', 7, 5),
    (12, 'guest=', 'Chat lobby', TRUE, 1, '2023-01-02 03:04:05', '2023-01-02 03:04:05', 7, NULL),
    (13, 'left=', '', FALSE, 9, '2023-01-02 03:04:05', '2023-01-02 03:04:05', NULL, NULL);

INSERT INTO chat_room (id, name, gateway_id, owner_id, route_id) VALUES
    (1, 'Chat lobby', 7, 5, 3),
    (2, 'News lobby', 8, NULL, NULL),
    (4, 'Stuck lobby', 9, NULL, NULL);

INSERT INTO chat_room_listeners (id, room_id, websocketsession_id) VALUES (1, 1, 11), (2, 1, 12);

INSERT INTO chat_message (id, text, room_id, session_id) VALUES
    (1, 'hello', 1, 11),
    (2, 'nobody hears', 1, NULL);

INSERT INTO chat_presence (id, connection_id, is_there, saves) VALUES
    (1, 'alice=', TRUE, 3),
    (2, 'left=', FALSE, 9);
