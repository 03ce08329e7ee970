-- What a site of 1.1.1 has in its tables, in the words of every database: the migrations that it
-- applied, a gateway that is live and one that is not, a route, and a connection of each kind.

INSERT INTO django_migrations (app, name, applied) VALUES
    ('django_aws_api_gateway_websockets', '0001_initial', '2022-07-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0002_rename_author_websocketsession_user',
        '2022-07-02 10:00:00'),
    ('django_aws_api_gateway_websockets', '0003_auto_20220706_1018', '2022-07-06 10:18:00'),
    ('django_aws_api_gateway_websockets', '0004_auto_20221208_1227', '2022-12-08 12:27:00'),
    ('django_aws_api_gateway_websockets', '0005_apigatewayadditionalroute_deployed',
        '2022-12-14 10:00:00'),
    ('django_aws_api_gateway_websockets', '0006_auto_20221215_0847', '2022-12-15 08:47:00');

INSERT INTO django_aws_api_gateway_websockets_apigateway (
    id, api_name, api_description, default_channel_name, domain_name, target_base_endpoint,
    certificate_arn, hosted_zone_id, api_key_selection_expression, route_selection_expression,
    route_key, stage_name, stage_description, deployment_id, tags, api_id, api_endpoint,
    api_gateway_domain_name, api_mapping_id, api_created, custom_domain_created, created_on,
    updated_on
) VALUES (
    1, 'Chat', 'Talks', 'lobby', 'ws.example.com', 'https://www.example.com/ws/',
    'arn:aws:acm:eu-west-1:1:certificate/1', '', '$request.header.x-api-key',
    '$request.body.action', '$default', 'production', '', 'd1', '{"team": "web"}', 'old1',
    'wss://old1.execute-api.eu-west-1.amazonaws.com', 'd-1.execute-api.eu-west-1.amazonaws.com',
    'm1', TRUE, TRUE, '2023-01-02 03:04:05', '2023-01-02 03:04:05'
), (
    2, 'News', '', '', '', 'https://www.example.com/news/', '', '', '$request.header.x-api-key',
    '$request.body.action', '$default', 'production', '', '', '{}', '', '', '', '', FALSE, FALSE,
    '2023-01-02 03:04:05', '2023-01-02 03:04:05'
);

INSERT INTO django_aws_api_gateway_websockets_apigatewayadditionalroute (
    id, name, route_key, integration_url, deployed, created_on, updated_on, api_gateway_id
) VALUES (
    1, 'Join', 'join', 'https://www.example.com/ws/join', TRUE, '2023-01-02 03:04:05',
    '2023-01-02 03:04:05', 1
);

INSERT INTO django_aws_api_gateway_websockets_websocketsession (
    id, connection_id, channel_name, connected, request_count, created_on, updated_on,
    api_gateway_id, user_id
) VALUES
    (1, 'open=', 'lobby', TRUE, 3, '2023-01-02 03:04:05', '2023-01-02 03:04:05', 1, NULL),
    (2, 'closed=', 'lobby', FALSE, 9, '2023-01-02 03:04:05', '2023-01-02 03:04:05', 1, NULL);
