-- The site's own tables, in the words of every database: a desk of the gateway with the id 1, and
-- the connection with the id 1, which reads it.

CREATE TABLE news_desk (
    id bigint NOT NULL PRIMARY KEY, name varchar(63) NOT NULL, gateway_id bigint NOT NULL,
    CONSTRAINT desk_gateway FOREIGN KEY (gateway_id) REFERENCES django_aws_api_gateway_websockets_apigateway (id)
);
CREATE TABLE news_desk_readers (
    id bigint NOT NULL PRIMARY KEY, desk_id bigint NOT NULL, websocketsession_id bigint NOT NULL,
    CONSTRAINT reader_desk FOREIGN KEY (desk_id) REFERENCES news_desk (id),
    CONSTRAINT reader FOREIGN KEY (websocketsession_id) REFERENCES django_aws_api_gateway_websockets_websocketsession (id)
);
INSERT INTO news_desk VALUES (1, 'Sports', 1);
INSERT INTO news_desk_readers VALUES (1, 1, 1);
INSERT INTO django_migrations (app, name, applied) VALUES
    ('news', '0001_initial', '2026-11-02 10:00:00');
